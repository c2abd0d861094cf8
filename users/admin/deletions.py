"""The operators' pages about who was deleted here, and what vendors have yet to delete."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import HttpRequest

from users.models import Erasure, VendorDeletion
from users.operators.pages import ReadOnlyAdmin, SaidFilter


@admin.register(VendorDeletion)
class VendorDeletionAdmin(ReadOnlyAdmin):
    """What a vendor has not deleted yet. Whoever has seen to it there by hand takes it off the list."""

    list_display = ("asked_at", "kind", "name", "person_id", "tries", "fault", "try_at")
    list_filter = ("kind", ("fault", SaidFilter))
    search_fields = ("name", "person_id__exact")
    fields = ("asked_at", "kind", "name", "person_id", "tries", "fault", "try_at")

    def has_delete_permission(self, request: HttpRequest, obj: VendorDeletion | None = None) -> bool:
        return admin.ModelAdmin.has_delete_permission(self, request, obj)


@admin.register(Erasure)
class ErasureAdmin(ReadOnlyAdmin):
    list_display = ("person_id", "erased_at", "left_at_vendors")
    search_fields = ("person_id__exact",)
    fields = ("person_id", "erased_at", "left_at_vendors")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Erasure]:
        theirs = VendorDeletion.objects.filter(person_id=OuterRef("person_id")).values("person_id")
        left = Subquery(theirs.values(left=Count("pk")))
        rows: QuerySet[Erasure] = super().get_queryset(request).annotate(left=left)
        return rows

    @admin.display(description="vendors have yet to delete")
    def left_at_vendors(self, erasure: Any) -> int:
        return erasure.left or 0
