import zipfile

import openpyxl
import xlsxwriter


def main():
    with xlsxwriter.Workbook("book.xlsx") as book:
        sheet = book.add_worksheet("data")
        sheet.write_row(0, 0, ["n", 1.5], book.add_format({"bold": True}))
        chart = book.add_chart({"type": "line"})
        chart.add_series({"values": "=data!$B$1:$B$1"})
        sheet.insert_chart("D2", chart)
    names = zipfile.ZipFile("book.xlsx").namelist()
    return {
        "chart": "xl/charts/chart1.xml" in names,
        "value": openpyxl.load_workbook("book.xlsx")["data"]["B1"].value,
    }
