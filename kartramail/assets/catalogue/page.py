"""Pages: they sign people up as forms do."""

from kartramail.assets.catalogue.form import FORM_TYPES
from kartramail.assets.notification_types import Kind

PAGE = Kind("page", "Page", "Pages", "page", "Free workbook", FORM_TYPES)
