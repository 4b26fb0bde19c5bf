import Reporting
import TestSupport
import Testing

struct CommandToTypeTests {
  @Test func aCommandThatFitsIsOneLine() {
    expectEqual(commandToType(["a", "b c", "--d"], after: "next: ", width: 80), "next: a 'b c' --d")
  }

  @Test func oneThatDoesNotIsSeveralThatAShellJoins() {
    let words = [".build/gpt2-bench", "explain", "kv-cache", "packed", "--model", "weights/tiny"]
    let text = commandToType(words, after: "next: ", width: 40)
    expectEqual(text, "next: .build/gpt2-bench explain \\\n    kv-cache packed --model weights/tiny")
    #expect(text.split(separator: "\n").allSatisfy { $0.count <= 40 })
    expectEqual(text.replacing(" \\\n   ", with: ""), "next: " + words.joined(separator: " "))
  }

  @Test func wordsStayWholeInAVeryNarrowTerminal() {
    expectEqual(
      commandToType(["0123456789", "abcdefghij"], after: "", width: 5), "0123456789 \\\n    abcdefghij")
  }

  @Test func aWordLongerThanALineGoesOnAtTheStartOfTheNext() {
    let path = "/" + String(repeating: "p", count: 30)
    let broken = commandToType([path, "-t", "1"], after: "next: ", width: 20)
    expectEqual(broken, "next: /pppppppppppp\\\npppppppppppppppppp \\\n    -t 1")
    let quoted = commandToType([path + " q"], after: "next: ", width: 20)
    expectEqual(quoted, "next: '\(path) q'")
  }

  @Test func whatATerminalWouldObeyIsNotShownToIt() {
    #expect(!commandToType(["a\u{1B}[2J"], after: "", width: 80).contains("\u{1B}"))
  }
}
