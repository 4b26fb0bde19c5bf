import TestSupport
import Testing

@testable import Chat

struct KeyParserTests {
  private func keys(_ text: String) -> [Key] {
    var parser = KeyParser()
    return parser.keys(from: text.utf8) + [parser.flush()].compactMap { $0 }
  }

  @Test func charactersAndControls() {
    expectEqual(keys("aé日🙂"), [.text("a"), .text("é"), .text("日"), .text("🙂")])
    expectEqual(keys("\u{01}\u{1A}\u{1F}"), [.control("a"), .control("z"), .control("_")])
    expectEqual(keys("\r\n\t\u{7F}\u{08}\0"), [.enter, .enter, .tab, .backspace, .backspace, .unknown])
  }

  @Test(arguments: [
    ("\u{1B}[A", Key.up), ("\u{1B}OA", .up), ("\u{1B}[B", .down), ("\u{1B}[C", .right), ("\u{1B}[D", .left),
    ("\u{1B}[H", .home), ("\u{1B}[1~", .home), ("\u{1B}OF", .end), ("\u{1B}[4~", .end), ("\u{1B}[8~", .end),
    ("\u{1B}[3~", .delete), ("\u{1B}[1;5C", .wordRight), ("\u{1B}[1;3D", .wordLeft), ("\u{1B}[1;2C", .right),
    ("\u{1B}Oc", .wordRight), ("\u{1B}b", .alt("b")), ("\u{1B}\u{7F}", .alt("\u{7F}")), ("\u{1B}", .escape),
    ("\u{1B}[", .unknown), ("\u{1B}[5~", .unknown), ("\u{1B}[[A", .unknown), ("\u{1B}[?1;2c", .unknown),
  ])
  func sequences(_ bytes: String, _ key: Key) {
    expectEqual(keys(bytes), [key])
    // However they are cut into pieces, and whatever comes after.
    var parser = KeyParser()
    var found = bytes.utf8.flatMap { parser.keys(from: [$0]) }
    if let key = parser.flush() { found.append(key) }
    expectEqual(found, [key])
  }

  @Test func aSequenceThatBreaksOffLosesNothingBehindIt() {
    expectEqual(keys("\u{1B}[1\u{03}x"), [.unknown, .control("c"), .text("x")])
    expectEqual(keys("\u{1B}\u{1B}[A"), [.escape, .up])
    expectEqual(keys("\u{1B}é"), [.escape, .text("é")])
    let endless = "\u{1B}[" + String(repeating: "1", count: 40)
    expectEqual(keys(endless).first, .unknown)
  }

  @Test func bytesThatAreNoCharacterBecomeTheReplacement() {
    var parser = KeyParser()
    expectEqual(
      parser.keys(from: [0x80, 0xFF, 0xC3, 0x41]),
      [
        .text("\u{FFFD}"), .text("\u{FFFD}"), .text("\u{FFFD}"), .text("A"),
      ])
    expectEqual(parser.keys(from: [0xED, 0xA0, 0x80]), [.text("\u{FFFD}")])
    #expect(parser.keys(from: [0xE6, 0x97]) == [] && parser.isWaiting)
    #expect(parser.keys(from: [0xA5]) == [.text("日")] && !parser.isWaiting)
  }

  @Test func aPasteIsOneKeyWithItsLines() {
    expectEqual(
      keys("\u{1B}[200~a\rb\r\n\u{03}c\u{1B}[A\u{1B}[201~x"), [.paste("a\nb\n\u{03}c\u{1B}[A"), .text("x")])
    var parser = KeyParser()
    expectEqual(parser.keys(from: "\u{1B}[200~half".utf8), [])
    #expect(!parser.isWaiting && parser.flush() == nil)
    expectEqual(parser.keys(from: " more\u{1B}[201~".utf8), [.paste("half more")])
  }
}
