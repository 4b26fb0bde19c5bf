import GPT2Engine
import GPT2Kernels
import GPT2Model

/// A chat: a model, the conversation with it, and how it is to go on.
final class ChatSession {
  let console: Console
  let display: any ChatDisplay
  let threads: Int
  private(set) var model: LoadedModel
  private(set) var conversation: Conversation
  private(set) var mode: ChatMode
  /// As the chat was started with them.
  private let initialSettings: ChatSettings
  private(set) var settings: ChatSettings
  var sampler: Sampler
  /// Since the conversation began.
  var turnCount = 0
  var droppedCount = 0
  var lastTurn: TurnFigures?

  init(
    _ model: LoadedModel, _ settings: ChatSettings, mode: ChatMode, threads: Int, _ display: any ChatDisplay,
    _ console: Console
  ) throws {
    self.console = console
    self.display = display
    self.threads = threads
    self.model = model
    conversation = try Conversation(model.engine)
    self.mode = .complete
    initialSettings = settings
    self.settings = settings
    sampler = Sampler(settings.sampling)
    try checkStops(settings)
    try change(mode: mode)
  }

  /// Takes lines until there are no more, or one says to end.
  func run(_ lines: some LineSource) {
    while StandardStream.failure == nil {
      switch lines.next() {
      case .line(let line): if take(line) == .quit { return }
      case .interrupted: continue
      case .end: return
      }
    }
  }

  enum Next { case goOn, quit }

  /// Does what a line says: a command where it begins with a slash, of which two are a text's one.
  private func take(_ line: String) -> Next {
    do {
      if line.hasPrefix("//") {
        try turn(String(line.dropFirst()))
      } else if line.hasPrefix("/") {
        return try ChatCommand.perform(String(line.dropFirst()), in: self)
      } else {
        try turn(line)
      }
    } catch {
      display.complain("\(error)")
    }
    return .goOn
  }

  // MARK: - Changes

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
    throw UsageError("stop: \(model.name) has no tokenizer, expected one to make text of tokens")
  }

  func change(mode: ChatMode) throws {
    guard mode == .complete || model.tokenizer != nil else {
      throw UsageError("mode: \(model.name) has no tokenizer, expected one for mode \(mode.rawValue)")
    }
    self.mode = mode
  }

  /// Forgets the text; the random numbers begin anew with it.
  func forget() {
    conversation.clear()
    (turnCount, droppedCount, lastTurn) = (0, 0, nil)
    sampler = Sampler(settings.sampling)
  }

  /// Goes on by another variant with the same text.
  func change(variant: Variant) throws {
    let changed = try LoadedModel(model, variant, threads: threads)
    let moved = try Conversation(changed.engine)
    try moved.append(conversation.tokens)
    (model, conversation) = (changed, moved)
  }

  /// Goes on with another model; the text's ids become that model's.
  ///
  /// - Returns: whether the text could be kept.
  func load(_ name: String) throws -> Bool {
    let loaded = try LoadedModel(name, model.engine.variant, threads: threads, console)
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
}
