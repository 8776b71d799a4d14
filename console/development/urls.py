"""The console's addresses, and those of the debug toolbar."""

from debug_toolbar.toolbar import debug_toolbar_urls

from console.urls import handler400, handler500
from console.urls import urlpatterns as console_urls

__all__ = ["handler400", "handler500", "urlpatterns"]

urlpatterns = [*debug_toolbar_urls(), *console_urls]
