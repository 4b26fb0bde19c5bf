import Testing

@testable import Record
@testable import Reporting

@Suite struct GitHubCommentTests {
  @Test func theAnswerIsShownAndTheTablesAreFolded() {
    let text = MarkdownReport.gitHubComment(Fixture.small())
    let lines = text.split(separator: "\n")
    #expect(lines[0] == "<!-- gpt2-bench report -->")
    #expect(lines[1] == "### synthetic:tiny on Example CPU")
    #expect(lines[2].hasPrefix("**`kv-cache` (1 thread) is fastest at decode (`tg5 @ d64`): 476.2"))
    let open = text.firstRange(of: "<details>")?.lowerBound ?? text.startIndex
    #expect(!text[..<open].contains("| "))
    for title in [
      "Ranking", "Every cell", "Correctness", "How it was measured", "Machine, build and ceilings",
    ] {
      #expect(text.contains("<details><summary>\(title)</summary>\n\n"))
    }
    #expect(text.count(of: "<details>") == text.count(of: "</details>"))
    #expect(!text.contains("Left out"))
  }

  @Test func warningsAreShown() {
    let text = MarkdownReport.gitHubComment(Fixture.troubled())
    let shown = text.prefix(upTo: text.firstRange(of: "<details>")?.lowerBound ?? text.endIndex)
    #expect(shown.contains("> **Warning:** The build is a debug build."))
    #expect(shown.contains("FAILED its correctness check: `simd8`"))
  }

  @Test func aLongReportEndsWithinTheLimitAndSaysWhatWasLeftOut() {
    var record = Fixture.small()
    let cells = record.cells
    record.cells = (0..<100).flatMap { index in
      cells.map { cell in
        var cell = cell
        cell.variant += "-\(index)"
        return cell
      }
    }
    let text = MarkdownReport.gitHubComment(record)
    #expect(text.utf8.count <= 65_536)
    #expect(text.utf8.count > 60_000)
    #expect(text.count(of: "<details>") == text.count(of: "</details>"))
    let last = text.split(separator: "\n").last ?? ""
    #expect(last.hasPrefix("*Left out, since a comment has at most 65536 characters: "))
    #expect(last.contains("lines of “Every cell”"))
  }

  @Test func aCodeBlockIsCutWholeOrNotAtAll() {
    let block = "```\n" + String(repeating: "0123456789\n", count: 7000) + "```"
    let long = Prose(runs: [.init(text: "kept\n" + block)])
    let comment = GitHubComment(
      marker: "m", heading: "h", shown: [.paragraph("before")],
      folded: [Section(id: "long", title: "long", [.paragraph(long)])])
    #expect(comment.text.count(of: "```") == 0)
    #expect(comment.text.contains("kept\n\n</details>"))
    #expect(comment.text.contains("Left out"))
  }

  @Test func whatARecordSaysCannotEndItsFold() {
    var record = Fixture.troubled()
    record.cells[5].message = "</details> <!-- hidden"
    let text = MarkdownReport.gitHubComment(record)
    #expect(text.contains("&lt;/details> &lt;!-- hidden"))
    #expect(text.count(of: "<!--") == 1)
    #expect(text.count(of: "<details>") == text.count(of: "</details>"))
  }
}

extension String {
  fileprivate func count(of part: String) -> Int { ranges(of: part).count }
}
