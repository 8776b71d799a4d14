from django.apps import AppConfig


class RequestTestsConfig(AppConfig):
    name = "console.request_tests"
