import TestSupport
import Testing

@testable import Chat

struct LineDrawingTests {
  private func layout(_ text: String, cursor: Int? = nil, width: Int) -> LineLayout {
    var line = EditableText(text)
    if let cursor { line.move(to: cursor) }
    return LineLayout(prompt: "> ", text: line, width: width)
  }

  private func place(_ layout: LineLayout) -> [Int] { [layout.cursorRow, layout.cursorColumn] }

  @Test(arguments: [
    ("a", 1), ("é", 1), ("e\u{301}", 1), ("日", 2), ("ｱ", 1), ("Ａ", 2), ("🙂", 2), ("❤", 1), ("❤\u{FE0F}", 2),
    ("🇩🇪", 2),
    ("👨\u{200D}👩\u{200D}👧", 2), ("👍🏽", 2), ("한", 2), ("\u{1112}\u{1161}\u{11AB}", 2), ("\u{200B}", 0),
    ("\u{AD}", 1),
    ("क्ष", 2), ("①", 1), ("〶", 2), ("\u{303F}", 1), ("𠀀", 2),
  ])
  func columns(_ text: String, _ expected: Int) {
    expectEqual(DisplayWidth.columns(of: text), expected)
  }

  @Test func rowsAreBrokenAtTheTerminalsWidth() {
    let long = layout("abcdefgh", width: 5)
    expectEqual(long.rows.map(\.text), ["> abc", "defgh", ""])
    expectEqual(place(long), [2, 0])
    expectEqual(place(layout("abcdefgh", cursor: 3, width: 5)), [1, 0])
    expectEqual(place(layout("abcdefgh", cursor: 0, width: 5)), [0, 2])
    // A wide character that does not fit leaves a column free, and takes the cursor with it.
    let wide = layout("ab日本", cursor: 2, width: 5)
    expectEqual(wide.rows.map(\.text), ["> ab", "日本"])
    expectEqual(place(wide), [1, 0])
    let lines = layout("a\n\nb", cursor: 2, width: 80)
    expectEqual(lines.rows.map(\.text), ["> a", "", "b"])
    expectEqual(place(lines), [1, 0])
    expectEqual(layout("a\u{1B}\u{7F}\t", width: 80).rows[0].text, "> a^[^?^I")
    #expect(layout("日", width: 1).rows.count > 1)
  }

  @Test func moreRowsThanTheTerminalHasShowThoseAroundTheCursor() {
    let text = (0..<50).map(String.init).joined(separator: "\n")
    expectEqual(layout(text, width: 80).window(height: 10), 40..<50)
    expectEqual(layout(text, cursor: 0, width: 80).window(height: 10), 0..<10)
    let middle = layout(text, cursor: 60, width: 80)
    #expect(middle.window(height: 10).contains(middle.cursorRow))
    expectEqual(layout("a", width: 80).window(height: 10), 0..<1)
  }

  @Test func aDrawingBeginsWhereTheLastOneDid() {
    var drawing = LineDrawing()
    expectEqual(drawing.draw(layout("ab", width: 10), height: 24), "\r\u{1B}[J> ab\r\u{1B}[4C")
    let two = layout("abcdefghij", cursor: 1, width: 10)
    expectEqual(drawing.draw(two, height: 24), "\r\u{1B}[J> abcdefgh\r\nij\u{1B}[1A\r\u{1B}[3C")
    let end = layout("abcdefghij", width: 10)
    expectEqual(drawing.draw(end, height: 24), "\r\u{1B}[J> abcdefgh\r\nij\r\u{1B}[2C")
    // Half as wide: the first row becomes two, so the cursor is two rows below the start.
    drawing.resize(width: 5)
    #expect(drawing.draw(layout("", width: 5), height: 24).hasPrefix("\u{1B}[2A\r\u{1B}[J"))
    expectEqual(drawing.finish(layout("", width: 5)), "\r\u{1B}[J> \r\n")
    // A row for the cursor alone is left out at the end.
    expectEqual(drawing.finish(layout("abcdefgh", width: 10)), "\r\u{1B}[J> abcdefgh\r\n")
  }

  @Test func anAnswersStatusStandsBelowItAndGoesBeforeMoreIsWritten() {
    var answer = AnswerDrawing()
    let plain: (String) -> String = { $0 }
    expectEqual(answer.write("ab", width: 10), "ab")
    expectEqual(
      answer.status("12 tokens and more", width: 10, dim: plain), "\n\r12 tokens\u{1B}[K\u{1B}[A\r\u{1B}[2C"
    )
    expectEqual(answer.write("日\u{1B}[", width: 10), "\u{1B}[J日^[[")
    #expect(answer.status("x", width: 10, dim: plain).hasSuffix("\u{1B}[7C"))
    // Behind a full row, and where a width is uncertain, there is none.
    _ = answer.write("abc", width: 10)
    expectEqual(answer.status("x", width: 10, dim: plain), "")
    _ = answer.write("\n❤\u{FE0F}", width: 10)
    expectEqual(answer.status("x", width: 10, dim: plain), "")
    expectEqual(answer.finish(), "\n")
    _ = answer.write("done\n", width: 10)
    _ = answer.status("x", width: 10, dim: plain)
    expectEqual(answer.finish(), "\u{1B}[J")
  }
}
