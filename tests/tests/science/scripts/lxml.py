from lxml import etree, html


def main():
    tree = etree.fromstring("<r><a n='1'>x</a><a n='2'>y</a></r>")
    sheet = etree.XSLT(
        etree.XML(
            "<xsl:stylesheet version='1.0' xmlns:xsl='http://www.w3.org/1999/XSL/Transform'>"
            "<xsl:template match='/'><t><xsl:value-of select='count(//a)'/></t></xsl:template>"
            "</xsl:stylesheet>"
        )
    )
    page = html.fromstring("<p>one<br>two</p>")
    return {
        "found": tree.xpath("//a[@n='2']/text()"),
        "count": sheet(tree).getroot().text,
        "text": page.text_content(),
    }
