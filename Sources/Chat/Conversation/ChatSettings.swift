import Files
import GPT2Engine

public struct ChatSettings: Equatable {
  public static let defaultTemperature: Float = 0.8
  public static let defaultTopK = 40
  public static let defaultCount = 128

  var sampling: SamplingParameters
  var maximumNewTokens: Int
  var stops: StopSequences
  var framing = ChatFraming()

  public init(
    _ sampling: SamplingParameters, maximumNewTokens: Int = defaultCount, stops: StopSequences = .none
  ) { (self.sampling, self.maximumNewTokens, self.stops) = (sampling, maximumNewTokens, stops) }

  mutating func resample(
    temperature: Float? = nil, topK: Int?? = nil, topP: Float? = nil, minP: Float? = nil,
    repetitionPenalty: Float? = nil, seed: UInt64? = nil
  ) throws {
    let old = sampling
    sampling = try SamplingParameters(
      temperature: temperature ?? old.temperature, topK: topK ?? old.topK, topP: topP ?? old.topP,
      minP: minP ?? old.minP, repetitionPenalty: repetitionPenalty ?? old.repetitionPenalty,
      seed: seed ?? old.seed)
  }
}

/// How what the user types becomes part of the text that the model continues.
public enum ChatMode: String, CaseIterable, Sendable {
  /// All of it is one text. What a model that was trained on texts, and on nothing else, can do.
  case complete
  /// A text in the form of a dialogue: each line opens with who speaks, and an answer ends where the next line opens.
  case dialogue
}

struct ChatFraming: Equatable {
  var separator = "\n"
  var user = "USER:"
  var answer = "GPT:"

  /// - Parameters:
  ///   - line: what the user typed.
  ///   - ends: whether the text so far ends with this; an empty text ends with everything.
  func added(_ line: String, mode: ChatMode, textEnds ends: (String) throws -> Bool) rethrows -> String {
    switch mode {
    case .complete: (try line.isEmpty || ends(separator) ? "" : separator) + line
    case .dialogue: (try ends("\n") ? "" : "\n") + "\(user) \(line)\n\(answer)"
    }
  }

  /// Where an answer ends, beside what the user set: at the next speaker's line.
  func stops(mode: ChatMode) -> [String] {
    switch mode {
    case .complete: []
    case .dialogue: ["\n" + user, "\n" + answer]
    }
  }
}

struct ChatSetting: Sendable {
  let name: String
  let values: String
  let help: String
  let show: @Sendable (ChatSettings) -> String
  private let change: @Sendable (inout ChatSettings, SettingValue) throws -> Void

  static let all: [ChatSetting] = [
    ChatSetting(
      name: "temperature", values: "T", help: "0 is greedy; lower values prefer likely tokens",
      show: { "\($0.sampling.temperature)" }, change: { try $0.resample(temperature: $1.number()) }),
    ChatSetting(
      name: "top-k", values: "K|off", help: "draw from the K most likely tokens",
      show: { $0.sampling.topK.map(String.init) ?? "off" },
      change: { try $0.resample(topK: .some($1.isOff ? nil : $1.integer())) }),
    ChatSetting(
      name: "top-p", values: "P|off",
      help: "draw from the most likely tokens that together reach probability P",
      show: { $0.sampling.topP == 1 ? "off" : "\($0.sampling.topP)" },
      change: { try $0.resample(topP: $1.isOff ? 1 : $1.number()) }),
    ChatSetting(
      name: "min-p", values: "P|off",
      help: "draw from the tokens at least P times as likely as the most likely one",
      show: { $0.sampling.minP == 0 ? "off" : "\($0.sampling.minP)" },
      change: { try $0.resample(minP: $1.isOff ? 0 : $1.number()) }),
    ChatSetting(
      name: "repetition-penalty", values: "R|off",
      help: "above 1, make tokens that are in the context less likely",
      show: { $0.sampling.repetitionPenalty == 1 ? "off" : "\($0.sampling.repetitionPenalty)" },
      change: { try $0.resample(repetitionPenalty: $1.isOff ? 1 : $1.number()) }),
    ChatSetting(
      name: "seed", values: "S", help: "restart the random numbers from this seed",
      show: { "\($0.sampling.seed)" }, change: { try $0.resample(seed: $1.unsigned()) }),
    ChatSetting(
      name: "max-tokens", values: "N", help: "the most new tokens of an answer",
      show: { "\($0.maximumNewTokens)" }, change: { $0.maximumNewTokens = try $1.integer() }),
    ChatSetting(
      name: "stop", values: "TEXT…|off", help: "end an answer before any of these texts",
      show: { $0.stops.isEmpty ? "off" : $0.stops.texts.map(QuotedWords.quoted).joined(separator: " ") },
      change: { $0.stops = try $1.isOff ? .none : StopSequences($1.texts()) }),
    ChatSetting(
      name: "separator", values: "TEXT", help: "mode complete: stands between the text so far and your line",
      show: { QuotedWords.quoted($0.framing.separator) }, change: { $0.framing.separator = try $1.text() }),
    ChatSetting(
      name: "user", values: "TEXT", help: "mode dialogue: opens your lines, and ends the model's",
      show: { QuotedWords.quoted($0.framing.user) }, change: { $0.framing.user = try $1.speaker() }),
    ChatSetting(
      name: "answer", values: "TEXT", help: "mode dialogue: opens the model's lines",
      show: { QuotedWords.quoted($0.framing.answer) }, change: { $0.framing.answer = try $1.speaker() }),
  ]

  /// - Throws: `InputError` that names the nearest one.
  static func named(_ name: String) throws -> ChatSetting {
    try NearestName.find(name, among: all, \.name, kind: "setting")
  }

  /// - Throws: where the value makes no sense, which the error shows as it was typed; the settings are then as they were.
  func set(_ settings: inout ChatSettings, _ value: SettingValue) throws {
    do { try change(&settings, value) } catch EngineError.sampling(_, _, let expected) {
      throw InputError(value.name, found: value.raw, expected: expected)
    }
  }
}

struct SettingValue {
  let name: String
  let raw: String

  var isOff: Bool { raw == "off" }

  func number() throws -> Float { try value(Float(raw), "a number", where: \.isFinite) }

  func integer() throws -> Int { try value(Int(raw), "a whole number of at least 1") { $0 >= 1 } }

  func unsigned() throws -> UInt64 { try value(UInt64(raw), "a whole number from 0 to \(UInt64.max)") }

  func texts() throws -> [String] { try QuotedWords.split(raw, .text, name: name) }

  func text() throws -> String {
    try value(texts(), "one text, in double quotes where it has blanks") { $0.count == 1 }[0]
  }

  /// A text that can be told from others.
  func speaker() throws -> String {
    try value(text(), "a line's beginning such as \"USER:\"") {
      $0.contains { !$0.isWhitespace } && !$0.contains("\n")
    }
  }

  private func value<Value>(
    _ value: Value?, _ expected: String, where isRight: (Value) -> Bool = { _ in true }
  ) throws -> Value {
    guard let value, isRight(value) else { throw InputError(name, found: raw, expected: expected) }
    return value
  }
}
