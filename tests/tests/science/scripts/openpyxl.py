import openpyxl
import pandas as pd


def main():
    book = openpyxl.Workbook()
    book.active.append(["a", 1])
    book.active["A2"] = "=SUM(B1:B1)"
    book.save("book.xlsx")
    sheet = openpyxl.load_workbook("book.xlsx").active
    pd.DataFrame({"n": [1, 2]}).to_excel("frame.xlsx", index=False)
    return {
        "cells": [[cell.value for cell in row] for row in sheet.iter_rows()],
        "frame": pd.read_excel("frame.xlsx").to_dict("list"),
    }
