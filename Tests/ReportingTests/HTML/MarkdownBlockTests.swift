import Testing

@testable import Record
@testable import Reporting

@Suite struct MarkdownBlockTests {
  @Test func everyFormOfTheReportsIsKnown() {
    let blocks = MarkdownBlock.blocks(
      of: """
        ## Heading

        Words.
        - one
        - two

        | a   |   b |
        | --- | --: |
        | x\\|y | 1 |

        > quoted
        >
        > more

        ```
        code **here**
        ```
        """)
    #expect(blocks.count == 6)
    #expect(
      Markup.markdown(blocks).source == """
        <h2>Heading</h2>
        <p>Words.</p>
        <ul><li>one</li><li>two</li></ul>
        <div class="scroll" tabindex="0" role="region" aria-label="table"><table><thead><tr><th scope="col" class="l">a\
        </th><th scope="col" class="r">b</th></tr></thead><tbody><tr><th scope="row" class="l">x|y</th><td class="r">1\
        </td></tr></tbody></table></div>
        <blockquote><p>quoted</p><p>more</p></blockquote>
        <pre class="code" tabindex="0"><code>code **here**</code></pre>
        """)
  }

  @Test(arguments: [
    ("a `b` **c**", "a <code>b</code> <strong>c</strong>"),
    ("**`packed` is <fast>**", "<strong><code>packed</code> is &lt;fast&gt;</strong>"),
    ("`**`", "<code>**</code>"), ("2 * 3 ** 4", "2 * 3 ** 4"), ("`open", "`open"), ("", ""),
    ("**a `b** c`", "**a <code>b** c</code>"),
  ])
  func marksWithoutAPartnerAreThemselves(markdown: String, markup: String) {
    #expect(Markup.inline(markdown).source == markup)
  }

  @Test func theWholeMarkdownReportIsUnderstood() throws {
    for record in [Fixture.small(), Fixture.troubled(), Fixture.gemm()] {
      let markup = Markup.markdown(MarkdownBlock.blocks(of: MarkdownReport(record).text))
      let page = try ParsedPage(Markup.document(.element("div", [:], [markup])))
      #expect(!page.root.text.contains("| -"))
      #expect(!page.root.text.contains("## "))
      #expect(page.all("table").count >= 4)
    }
  }
}
