"""Workbooks for tests, written part by part: an xlsx with dates and booleans, and an ods."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from xml.sax.saxutils import escape

Rows = Sequence[Sequence[object]]

_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def zipped(parts: Mapping[str, str | bytes]) -> bytes:
    """A zip archive with these members."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in parts.items():
            out.writestr(name, content)
    return archive.getvalue()


def xlsx(**sheets: Rows) -> bytes:
    """A workbook with these sheets; a datetime is a number in a style of dates, as spreadsheet programs write it."""
    names = list(sheets)
    parts = {
        "[Content_Types].xml": "<Types xmlns='http://schemas.openxmlformats.org/package/2006/content-types'>"
        "<Default Extension='rels' ContentType='application/vnd.openxmlformats-package.relationships+xml'/>"
        f"<Override PartName='/xl/workbook.xml' ContentType='{_TYPES}.sheet.main+xml'/>"
        f"<Override PartName='/xl/styles.xml' ContentType='{_TYPES}.styles+xml'/></Types>",
        "_rels/.rels": "<Relationships xmlns='http://schemas.openxmlformats.org/package/2006/relationships'>"
        f"<Relationship Id='r1' Type='{_RELATIONS}/officeDocument' Target='xl/workbook.xml'/></Relationships>",
        "xl/workbook.xml": f"<workbook xmlns='{_MAIN}' xmlns:r='{_RELATIONS}'><sheets>"
        + "".join(f"<sheet name='{escape(name)}' sheetId='{i}' r:id='s{i}'/>" for i, name in enumerate(names, 1))
        + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": "<Relationships xmlns='http://schemas.openxmlformats.org/package/2006/relationships'>"
        + "".join(
            f"<Relationship Id='s{i}' Type='{_RELATIONS}/worksheet' Target='worksheets/sheet{i}.xml'/>"
            for i in range(1, len(names) + 1)
        )
        + f"<Relationship Id='st' Type='{_RELATIONS}/styles' Target='styles.xml'/></Relationships>",
        "xl/styles.xml": f"<styleSheet xmlns='{_MAIN}'><cellXfs count='2'><xf numFmtId='0'/>"
        "<xf numFmtId='22'/></cellXfs></styleSheet>",
    }
    for number, name in enumerate(names, 1):
        rows = "".join(
            f"<row r='{i}'>{''.join(_xlsx_cell(cell, i, j) for j, cell in enumerate(row))}</row>"
            for i, row in enumerate(sheets[name], 1)
        )
        parts[f"xl/worksheets/sheet{number}.xml"] = (
            f"<worksheet xmlns='{_MAIN}'><sheetData>{rows}</sheetData></worksheet>"
        )
    return zipped(parts)


def ods(rows: Rows) -> bytes:
    """A workbook of one sheet, with the empty rows and columns after its cells that LibreOffice writes."""
    body = "".join(f"<table:table-row>{''.join(map(_ods_cell, row))}</table:table-row>" for row in rows)
    names = " ".join(
        f"xmlns:{name}='urn:oasis:names:tc:opendocument:xmlns:{name}:1.0'" for name in ("office", "table", "text")
    )
    return zipped(
        {
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "META-INF/manifest.xml": "<manifest:manifest "
            "xmlns:manifest='urn:oasis:names:tc:opendocument:xmlns:manifest:1.0'/>",
            "content.xml": f"<office:document-content {names}><office:body><office:spreadsheet>"
            f"<table:table table:name='One'>{body}<table:table-row table:number-rows-repeated='1048000'>"
            "<table:table-cell table:number-columns-repeated='16384'/></table:table-row></table:table>"
            "</office:spreadsheet></office:body></office:document-content>",
        }
    )


def _xlsx_cell(cell: object, row: int, column: int) -> str:
    place = f"r='{chr(ord('A') + column)}{row}'"
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return f"<c {place} t='b'><v>{int(cell)}</v></c>"
    if isinstance(cell, datetime):
        return f"<c {place} s='1'><v>{(cell - datetime(1899, 12, 30)).total_seconds() / 86400!r}</v></c>"
    if isinstance(cell, int | float):
        return f"<c {place}><v>{cell!r}</v></c>"
    return f"<c {place} t='inlineStr'><is><t>{escape(str(cell))}</t></is></c>"


def _ods_cell(cell: object) -> str:
    if cell is None:
        return "<table:table-cell/>"
    if isinstance(cell, datetime):
        return f"<table:table-cell office:value-type='date' office:date-value='{cell.isoformat()}'/>"
    if isinstance(cell, bool):
        return f"<table:table-cell office:value-type='boolean' office:boolean-value='{str(cell).lower()}'/>"
    if isinstance(cell, int | float):
        return f"<table:table-cell office:value-type='float' office:value='{cell!r}'/>"
    return f"<table:table-cell office:value-type='string'><text:p>{escape(str(cell))}</text:p></table:table-cell>"
