import CSystem
import Foundation
import GPT2Engine
import GPT2Kernels
import GPT2Model

public final class ChatSession {
  let host: any ChatHost
  private let console: any ChatConsole
  private let environment = ProcessInfo.processInfo.environment
  /// nil where lines cannot be edited.
  private let terminal: Terminal?
  let display: ChatDisplay
  private let threads: Int
  private(set) var model: LoadedModel
  private(set) var conversation: Conversation
  private(set) var mode: ChatMode
  private let initialSettings: ChatSettings
  private(set) var settings: ChatSettings
  private var sampler: Sampler
  /// Since the conversation began.
  private(set) var turnCount = 0
  private(set) var droppedCount = 0
  private(set) var lastTurn: TurnFigures?
  var isOver = false
  /// What ends the session: nothing that the model says after it is worth anything.
  private var failure: EngineError?

  /// - Throws: `InputError` for settings that the model cannot have.
  public init(
    _ model: LoadedModel, _ settings: ChatSettings, mode: ChatMode, threads: Int, _ host: any ChatHost,
    _ console: any ChatConsole
  ) throws {
    (self.host, self.console, self.threads) = (host, console, threads)
    terminal = Terminal(environment: environment, console)
    display = ChatDisplay(terminal, console)
    self.model = model
    conversation = try Conversation(model.engine)
    self.mode = .complete
    initialSettings = settings
    self.settings = settings
    sampler = Sampler(settings.sampling)
    try checkStops(settings)
    try change(mode: mode)
  }

  /// Takes lines, from the terminal or standard input, until there are no more or one says to end.
  /// - Throws: `EngineError.nonFiniteLogit`, which ends it.
  public func run() throws {
    takeLines()
    if let failure { throw failure }
  }

  private func takeLines() {
    guard let terminal else { return run(StreamLines(console).next) }
    defer { terminal.restore() }
    let file = HistoryFile(environment: environment)
    run(EditedLines(terminal, prompt: "> ", file: file, complete: ChatCommand.complete).next)
  }

  private func run(_ next: () -> LineEvent) {
    while !isOver, !console.hasFailed {
      switch next() {
      case .line(let line): take(line)
      case .interrupted: continue
      case .end: return
      }
    }
  }

  /// Does what a line says: a command where it begins with a slash, of which two are a text's one.
  private func take(_ line: String) {
    do {
      if line.hasPrefix("//") {
        try turn(String(line.dropFirst()))
      } else if line.hasPrefix("/") {
        try ChatCommand.perform(String(line.dropFirst()), in: self)
      } else {
        try turn(line)
      }
    } catch EngineError.nonFiniteLogit(let position, let token, let found) {
      failure = .nonFiniteLogit(position: position, token: token, found: found)
      isOver = true
    } catch { display.complain("\(error)") }
  }

  func change(_ setting: ChatSetting, to value: String) throws {
    var changed = settings
    try setting.set(&changed, SettingValue(name: setting.name, raw: value))
    try checkStops(changed)
    use(changed, restartsSampling: setting.name == "seed")
  }

  func resetSettings() { use(initialSettings, restartsSampling: true) }

  private func use(_ changed: ChatSettings, restartsSampling: Bool) {
    if restartsSampling || changed.sampling != settings.sampling { sampler = Sampler(changed.sampling) }
    settings = changed
  }

  private func checkStops(_ settings: ChatSettings) throws {
    guard model.tokenizer == nil, !settings.stops.isEmpty else { return }
    throw InputError("stop: \(model.name) has no tokenizer, expected one to make text of tokens")
  }

  func change(mode: ChatMode) throws {
    guard mode == .complete || model.tokenizer != nil else {
      throw InputError("mode: \(model.name) has no tokenizer, expected one for mode \(mode.rawValue)")
    }
    self.mode = mode
  }

  /// Forgets the text; the random numbers begin anew with it.
  func forget() {
    conversation.clear()
    (turnCount, droppedCount, lastTurn) = (0, 0, nil)
    sampler = Sampler(settings.sampling)
  }

  func change(variant: Variant) throws {
    let changed = try LoadedModel(
      model.name, model.engine.checkpoint, model.tokenizer, ends: model.ends, variant, threads: threads)
    let moved = try Conversation(changed.engine)
    try moved.append(conversation.tokens)
    (model, conversation) = (changed, moved)
  }

  /// Goes on with another model; the text's ids become that model's.
  /// - Returns: whether the text could be kept.
  func load(_ name: String) throws -> Bool {
    let loaded = try host.load(name, model.engine.variant, threads: threads)
    let moved = try Conversation(loaded.engine)
    var isKept = conversation.tokens.isEmpty
    if let old = model.tokenizer, let new = loaded.tokenizer {
      droppedCount += try moved.append(new.encode(old.decode(conversation.tokens))).cut
      isKept = true
    }
    (model, conversation) = (loaded, moved)
    if !isKept { forget() }
    if loaded.tokenizer == nil {
      mode = .complete
      settings.stops = .none
    }
    return isKept
  }

  private func turn(_ line: String) throws {
    // In a dialogue a speaker who says nothing does not speak.
    if mode == .dialogue, !line.contains(where: { !$0.isWhitespace }) { return }
    let start = ContinuousClock.now
    let ids = try prompt(line)
    let addition = try conversation.append(ids)
    if addition.cut > 0 {
      display.remark(
        "\(ids.count) tokens are more than the context holds: the first \(addition.cut) are left out")
    }
    var figures = TurnFigures(promptCount: ids.count, times: TokenTimes(start: start))
    figures.dropped = addition.dropped + addition.cut
    turnCount += 1
    _ = csystem_interrupts_take()
    display.begin(status(figures))
    // Also where an error ends it: what was said stays, and so does its line.
    defer {
      droppedCount += figures.dropped
      lastTurn = figures
      display.end(status(figures))
    }
    try answer(&figures)
  }

  /// The ids that a line adds to the text; the text's beginning where there is neither.
  private func prompt(_ line: String) throws -> [Int] {
    guard let tokenizer = model.tokenizer else {
      let ids = try model.ids(line)
      if ids.isEmpty, conversation.tokens.isEmpty { throw EngineError.emptyPrompt }
      return ids
    }
    let tokens = conversation.tokens
    let added = try settings.framing.added(line, mode: mode) { try model.text(of: tokens, endsWith: $0) }
    if added.isEmpty, tokens.isEmpty {
      guard let start = tokenizer.startOfText else { throw EngineError.emptyPrompt }
      return [start]
    }
    return try (tokens.isEmpty ? tokenizer.prefix : []) + tokenizer.encode(added)
  }

  private func answer(_ figures: inout TurnFigures) throws {
    let stops = try StopSequences(settings.framing.stops(mode: mode) + settings.stops.texts)
    var answer = ChatAnswer(model.tokenizer, stops, trimsStart: mode == .dialogue)
    for _ in 0..<settings.maximumNewTokens {
      let token = try conversation.next(&sampler)
      if model.ends.contains(token) {
        figures.ending = "end of text"
        break
      }
      let piece = try answer.add(token)
      figures.dropped += try conversation.append([token]).dropped
      figures.times.add()
      display.write(piece, status(figures))
      if answer.stop != nil {
        try takeBackStop(of: answer)
        break
      }
      if csystem_interrupts_take() != 0 {
        figures.ending = "interrupted"
        break
      }
      if console.hasFailed { break }
    }
    display.write(answer.finish(), status(figures))
  }

  /// Takes the tokens that hold any of a stop sequence out of the text, and adds what they held before it again.
  private func takeBackStop(of answer: ChatAnswer) throws {
    guard let tokenizer = model.tokenizer else { return }
    let kept = try answer.keptTokens(tokenizer)
    conversation.removeLast(min(answer.tokens.count - kept.count, conversation.tokens.count))
    if !kept.rest.isEmpty { try conversation.append(tokenizer.encode(kept.rest)) }
  }

  private func status(_ figures: TurnFigures) -> String {
    figures.line(used: conversation.tokens.count, of: conversation.context)
  }
}
