"""The product's own routes and two more: one to compare with, and one that waits as for a vendor."""

from time import sleep

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path

from voicechat.urls import handler400, handler403, handler404, handler500
from voicechat.urls import urlpatterns as product

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

VENDOR_SECONDS = 0.2


def bare(request: HttpRequest) -> HttpResponse:
    """What Django and the middleware cost by themselves: no database, no REST framework."""
    return JsonResponse({"callStatus": False})


def wait(request: HttpRequest) -> HttpResponse:
    """A request that spends its time on a vendor's answer, not on the processor."""
    sleep(VENDOR_SECONDS)
    return JsonResponse({"waited": VENDOR_SECONDS})


urlpatterns = [path("bench/bare", bare), path("bench/wait", wait), *product]
