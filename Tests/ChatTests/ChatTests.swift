import Files
import GPT2Engine
import GPT2Model
import TestSupport
import Testing

@testable import Chat

struct ChatTextTests {
  private func settings() throws -> ChatSettings {
    try ChatSettings(SamplingParameters(temperature: 0.8, topK: 40, seed: 1))
  }

  /// Every setting shows what it can read, and reading what it shows changes nothing.
  @Test(arguments: [
    ("temperature", "0.5"), ("top-k", "3"), ("top-k", "off"), ("top-p", "0.25"), ("min-p", "0.125"),
    ("repetition-penalty", "1.5"), ("seed", "18446744073709551615"), ("max-tokens", "12"),
    ("stop", "\"a b\" \"\\n\\n\""), ("stop", "off"), ("separator", "\"\""), ("user", "\"Q:\""),
    ("answer", "\"A \\\"x\\\":\""),
  ])
  func settingsReadWhatTheyShow(_ name: String, _ value: String) throws {
    let setting = try ChatSetting.named(name)
    var settings = try self.settings()
    try setting.set(&settings, SettingValue(name: name, raw: value))
    expectEqual(setting.show(settings), value)
    var again = settings
    try setting.set(&again, SettingValue(name: name, raw: setting.show(settings)))
    expectEqual(again, settings)
  }

  @Test(arguments: [
    ("temperature", "hot", "temperature: found 'hot', expected a number"),
    ("temperature", "-1", "temperature: found '-1', expected 0 (greedy) or a positive number"),
    (
      "repetition-penalty", "-1e0", "repetition-penalty: found '-1e0', expected a positive number, 1 for none"
    ),
    ("top-k", "0", "top-k: found '0', expected a whole number of at least 1"),
    ("top-p", "2", "top-p: found '2', expected above 0, at most 1"),
    ("seed", "-1", "seed: found '-1', expected a whole number from 0 to 18446744073709551615"),
    ("stop", "\"\"", "a stop sequence is empty, expected at least one character"),
    ("stop", "\"open", "stop: found '\"open', expected a double quote that is closed"),
    ("user", "two words", "user: found 'two words', expected one text, in double quotes where it has blanks"),
    ("user", "\" \"", "user: found '\" \"', expected a line's beginning such as \"USER:\""),
    ("separator", "\\x", "separator: found '\\x', expected n, r, t, \" or \\ after each backslash"),
  ])
  func badValuesChangeNothing(_ name: String, _ value: String, _ message: String) throws {
    let before = try settings()
    var after = before
    let setting = try ChatSetting.named(name)
    let error = try #require(throws: (any Error).self) {
      try setting.set(&after, SettingValue(name: name, raw: value))
    }
    expectEqual("\(error)", message)
    expectEqual(after, before)
  }

  @Test func theNearestNameIsMeant() {
    let names = ChatCommand.all.map(\.name)
    expectEqual(NearestName.nearest(to: "hlep", among: names), "help")
    expectEqual(NearestName.nearest(to: "temprature", among: ChatSetting.all.map(\.name)), "temperature")
    expectEqual(NearestName.nearest(to: "sett", among: names), "settings")
    expectNil(NearestName.nearest(to: "exit", among: names))
    expectEqual(NearestName.nearest(to: "HELP", among: names), "help")
    expectNil(NearestName.nearest(to: "-x", among: ["-t", "-r"]))
    expectEqual(NearestName.distance(Array("abc"), Array("acb")), 1)
    expectEqual(NearestName.distance(Array(""), Array("abc")), 3)
  }

  @Test func framing() {
    let framing = ChatFraming()
    expectEqual(framing.added("x", mode: .complete) { _ in true }, "x")
    expectEqual(framing.added("x", mode: .complete) { _ in false }, "\nx")
    expectEqual(framing.added("", mode: .complete) { _ in false }, "")
    expectEqual(framing.added("Hi", mode: .dialogue) { _ in false }, "\nUSER: Hi\nGPT:")
    expectEqual(framing.stops(mode: .dialogue), ["\nUSER:", "\nGPT:"])
  }

  /// What stays of an answer is its text before the stop sequence, in the tokens that it came in where they hold nothing else.
  @Test(arguments: ["Well met, my lord.", "a", "", "日本 🙂", "so.\n"])
  func aStopSequenceIsTakenBack(_ text: String) throws {
    let tokenizer = try Tokenizer(folder: Project.file("weights/tiny"))
    var answer = ChatAnswer(tokenizer, try StopSequences(["\nUSER:"]), trimsStart: false)
    var shown = ""
    for token in try tokenizer.encode(text + "\nUSER: and on") where answer.stop == nil {
      shown += try answer.add(token)
    }
    expectEqual(answer.stop, "\nUSER:")
    expectEqual(shown + answer.finish(), text)
    let kept = try answer.keptTokens(tokenizer)
    try expectEqual(tokenizer.decode(answer.tokens.prefix(kept.count)) + kept.rest, text)
    #expect(kept.rest.utf8.count <= 4)
  }

  @Test func anAnswerInADialogueIsShownFromItsFirstWord() throws {
    let tokenizer = try Tokenizer(folder: Project.file("weights/tiny"))
    var answer = ChatAnswer(tokenizer, .none, trimsStart: true)
    let shown = try tokenizer.encode(" \n Good  day ").map { try answer.add($0) }.joined() + answer.finish()
    expectEqual(shown, "Good  day ")
  }

  @Test func everyCommandHasAHelpAndEverySettingAValue() throws {
    let commands = "help settings set reset clear status mode info load variant quit"
    expectEqual(ChatCommand.all.map(\.name), commands.split(separator: " ").map(String.init))
    #expect(ChatCommand.all.allSatisfy { !$0.help.isEmpty })
    let standard = try settings()
    #expect(ChatSetting.all.allSatisfy { !$0.show(standard).isEmpty })
  }
}
