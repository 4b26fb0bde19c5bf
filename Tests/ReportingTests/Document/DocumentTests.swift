import TestSupport
import Testing

@testable import Record
@testable import Reporting

struct DocumentTests {
  private let blocks: [Block] = [
    .page([.paragraph("on a page")]),
    .choice(Table([.init("c", .left)], rows: [[.init("raw")]]), by: [0], label: "raw"), .heading("Sub `x`"),
    .note("small print"),
    .paragraph(""), .list(["one", "**two**"]),
    .table(Table([.init("a", .left), .init("b")], rows: [[.init("x|y"), .init("1")]])),
    .details("more", [.paragraph("inside"), .code("code **here**")]), .verdict("2 < 3", isGood: true),
  ]

  /// What is for a page alone is left out.
  @Test func asMarkdown() {
    let document = Document(
      title: "`a` run", opening: [.warnings(["one", "two"]), .list([])],
      sections: [
        Section(id: "x", title: "X", blocks), nil, Section(id: "y", title: "Y", [.paragraph(""), .page([])]),
        Section(id: "z", title: "Z", [.paragraph("end")]),
      ])
    expectEqual(
      document.markdown,
      """
      # `a` run

      > **Warning:** one
      >
      > **Warning:** two

      ## X

      ### Sub `x`

      small print

      - one
      - **two**

      | a    |   b |
      | ---- | --: |
      | x\\|y |   1 |

      <details><summary>more</summary>

      inside

      ```
      code **here**
      ```

      </details>

      2 < 3

      ## Z

      end

      """)
  }

  @Test func asMarkup() throws {
    let section = try #require(Section(id: "x", title: "X & Y", blocks))
    expectEqual(
      section.markup.source,
      """
      <section id="x" aria-labelledby="x-h"><h2 id="x-h">X &amp; Y</h2><p>on a page</p>
      <div class="choice"><fieldset><legend>c</legend><label><input type="radio" name="c0" class="c0" \
      checked="checked"/>all</label><label><input type="radio" name="c0" class="c0-0"/>raw</label></fieldset>\
      <div class="scroll" tabindex="0" role="region" aria-label="raw"><table><thead><tr><th scope="col" class="l">c\
      </th></tr></thead><tbody><tr class="c0-0"><th scope="row" class="l">raw</th></tr></tbody></table></div></div>
      <h3>Sub <code>x</code></h3>
      <p class="note">small print</p>
      <ul><li>one</li><li><strong>two</strong></li></ul>
      <div class="scroll" tabindex="0" role="region" aria-label="table"><table><thead><tr><th scope="col" class="l">a\
      </th><th scope="col" class="r">b</th></tr></thead><tbody><tr><th scope="row" class="l">x|y</th><td class="r">1\
      </td></tr></tbody></table></div>
      <details><summary>more</summary><p>inside</p>
      <pre class="code" tabindex="0"><code>code **here**</code></pre></details>
      <p class="good">2 &lt; 3</p></section>
      """)
    expectEqual(
      Markup.blocks([.warnings(["quoted", "more"])]).source,
      "<blockquote><p><strong>Warning:</strong> quoted</p><p><strong>Warning:</strong> more</p></blockquote>"
    )
    #expect(
      Markup.blocks([.details("d", [.note("n")], isOpen: true)]).source.hasPrefix("<details open=\"open\">"))
  }

  @Test func whatIsFoldedCanBeUnfolded() {
    let folded: [Block] = [
      .details("a", [.paragraph("b"), .details("c", [.paragraph("d")])]), .paragraph("e"),
    ]
    expectEqual(folded.unfolded.markdown, "b\n\nd\n\ne")
    #expect(folded.markdown.hasPrefix("<details><summary>a</summary>\n\nb\n\n<details>"))
  }

  @Test func aLinkIsOneInBothFormats() {
    let line: Prose = "see \(Prose.link("a_b", to: "../x.md#y")) now"
    #expect(line.markdown == "see [a_b](../x.md#y) now" && line.marked == "see a_b now")
    expectEqual(Markup.prose(line).source, "see <a href=\"../x.md#y\">a_b</a> now")
  }

  @Test func everyBlockOfAReportBecomesAPage() throws {
    for record in [Fixture.small(), Fixture.troubled(), Fixture.gemm()] {
      let document = RunReport(RunFigures(record)).document
      let markup = [Markup.blocks(document.opening)] + document.sections.compactMap { $0?.markup }
      let page = try ParsedPage(Markup.document(.element("div", [:], markup)))
      #expect(!page.root.text.contains("| -"))
      #expect(!page.root.text.contains("## "))
      #expect(page.all("table").count >= 2)
    }
  }
}

struct GitHubCommentTests {
  @Test func theAnswerIsShownAndTheTablesAreFolded() {
    let text = RunReport(Fixture.small()).gitHubComment
    let lines = text.split(separator: "\n")
    expectEqual(lines[0], "<!-- gpt2-bench report -->")
    expectEqual(lines[1], "### synthetic:tiny on Example CPU")
    #expect(lines[2].hasPrefix("**`kv-cache` (1 thread) is fastest at decode (`tg5 @ d64`): 476 ± 24 tok/s"))
    let open = text.firstRange(of: "<details>")?.lowerBound ?? text.startIndex
    #expect(!text[..<open].contains("| "))
    for title in [
      "Ranking", "Every cell", "Correctness", "How it was measured", "Machine, build and ceilings",
    ] {
      expectContains(text, "<details><summary>\(title)</summary>\n\n")
    }
    expectEqual(text.count(of: "<details>"), text.count(of: "</details>"))
    #expect(!text.contains("Left out"))
  }

  @Test func warningsAreShown() {
    let text = RunReport(Fixture.troubled()).gitHubComment
    let shown = text.prefix(upTo: text.firstRange(of: "<details>")?.lowerBound ?? text.endIndex)
    expectContains(
      shown, "> **Warning:** The build is a debug build.", "FAILED its correctness check: `simd8`")
  }

  @Test func aLongReportEndsWithinTheLimitAndSaysWhatWasLeftOut() {
    var record = Fixture.small()
    let cells = record.cells
    record.cells = (0..<200).flatMap { index in
      cells.map { cell in
        var cell = cell
        cell.variant += "-\(index)"
        return cell
      }
    }
    let text = RunReport(record).gitHubComment
    #expect(text.utf8.count <= 65_536)
    #expect(text.utf8.count > 60_000)
    expectEqual(text.count(of: "<details>"), text.count(of: "</details>"))
    let last = text.split(separator: "\n").last ?? ""
    #expect(last.hasPrefix("*Left out, since a comment has at most 65536 characters: "))
    expectContains(last, "lines of “Every cell”")
  }

  @Test func aCodeBlockIsCutWholeOrNotAtAll() {
    let lines = String(repeating: "0123456789\n", count: 7000)
    let comment = GitHubComment(
      marker: "m", heading: "h", shown: [.paragraph("before")],
      folded: [Section(id: "long", title: "long", [.paragraph("kept"), .code(lines)])])
    expectEqual(comment.text.count(of: "```"), 0)
    expectContains(comment.text, "kept\n\n\n</details>", "Left out")
  }

  @Test func whatARecordSaysCannotEndItsFold() {
    var record = Fixture.troubled()
    record.cells[5].message = "</details> <!-- hidden"
    let text = RunReport(record).gitHubComment
    expectContains(text, "&lt;/details> &lt;!-- hidden")
    expectEqual(text.count(of: "<!--"), 1)
    expectEqual(text.count(of: "<details>"), text.count(of: "</details>"))
  }
}

extension String {
  fileprivate func count(of part: String) -> Int { ranges(of: part).count }
}
