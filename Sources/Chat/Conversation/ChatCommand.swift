import Files
import Foundation
import GPT2Kernels
import GPT2Model

/// A line that begins with a slash: its name, what may stand after it, and what it does.
struct ChatCommand: Sendable {
  let name: String
  var operands = ""
  let help: String
  /// Takes what stands after the name, without blanks around it. Throws where that makes no sense; the chat goes on.
  let run: @Sendable (ChatSession, String) throws -> Void

  /// - Throws: `InputError` that names the nearest command where there is no such one.
  static func perform(_ text: String, in session: ChatSession) throws {
    let name = String(text.prefix { !$0.isWhitespace })
    let hint = " (write two slashes to begin a text with one)"
    let command = try NearestName.find(name, among: all, \.name, kind: "command", prefix: "/", hint: hint)
    let rest = text.dropFirst(name.count).drop(while: \.isWhitespace)
    let operands = String(rest.reversed().drop(while: \.isWhitespace).reversed())
    if command.operands.isEmpty, !operands.isEmpty {
      throw InputError("/\(name): found '\(operands)', expected nothing after it")
    }
    try command.run(session, operands)
  }

  /// Names of commands, and after those that take one of several words, these.
  static func complete(_ text: String) -> TabCompletion {
    guard text.hasPrefix("/"), !text.hasPrefix("//") else { return (0, []) }
    let words = text.dropFirst().split(separator: " ", omittingEmptySubsequences: false).map(String.init)
    let last = words.last ?? ""
    let known = words.count == 1 ? all.map(\.name) : words.count == 2 ? choices(after: words[0]) : []
    return (last.count, known.filter { $0.hasPrefix(last) }.sorted())
  }

  static let all: [ChatCommand] = [
    ChatCommand(name: "help", operands: "[COMMAND]", help: "show this text") { session, name in
      session.display.show(try name.isEmpty ? overview : help(of: name))
    },
    ChatCommand(name: "settings", help: "show every setting and its value") { session, _ in
      session.display.show(session.settingsText)
    },
    ChatCommand(name: "set", operands: "NAME [VALUE]", help: "change a setting, or show it", run: set),
    ChatCommand(name: "reset", help: "set all settings back to their values at the start") { session, _ in
      session.resetSettings()
      session.display.remark("all settings are as at the start")
    },
    ChatCommand(name: "clear", help: "forget the conversation, and clear the screen") { session, _ in
      session.forget()
      session.display.clear()
      session.display.remark("the conversation is forgotten")
    },
    ChatCommand(
      name: "status", help: "show the context's tokens, the turns, the last turn's speed and the memory"
    ) { session, _ in session.display.show(session.statusText) },
    ChatCommand(
      name: "mode", operands: "[complete|dialogue]", help: "set how your lines become text, or show the mode",
      run: mode),
    ChatCommand(name: "info", help: "show the model, the variant, the threads and the machine") {
      session, _ in session.display.show(session.infoText)
    },
    ChatCommand(
      name: "load", operands: "MODEL",
      help: "load another model; the conversation is kept if both have a tokenizer", run: load),
    ChatCommand(
      name: "variant", operands: "[NAME]",
      help: "change the variant, or list the variants; the conversation is kept", run: variant),
    ChatCommand(name: "quit", help: "end the chat; control-D on an empty line does the same") { session, _ in
      session.isOver = true
    },
  ]

  static func choices(after name: String) -> [String] {
    switch name {
    case "set": ChatSetting.all.map(\.name)
    case "mode": ChatMode.allCases.map(\.rawValue)
    case "variant": Variant.names
    case "load": ModelSource.namedSynthetics
    case "help": all.map(\.name)
    default: []
    }
  }

  private var synopsis: String { "/\(name)" + (operands.isEmpty ? "" : " " + operands) }

  private static var overview: String {
    """
    What you type is added to a text, and the model goes on with it. GPT-2 is a base model: it continues texts, and
    was never taught to answer or to follow instructions.

    \(inColumns(all.map { ($0.synopsis, $0.help) }))

    //…  a text that begins with a slash
    An empty line lets the model go on. When the context is full, the older half of the text is dropped.

    \(modes)

    '/help set' lists the settings.
    """
  }

  private static let modes = """
    mode complete: all of it is one text; each of your lines begins a new line (/set separator).
    mode dialogue: the text is a dialogue, 'USER: what you type', then 'GPT:' for the model (/set user, /set answer);
                   an answer ends where the next line of a speaker begins.
    """

  private static func help(of name: String) throws -> String {
    let name = name.hasPrefix("/") ? String(name.dropFirst()) : name
    let command = try NearestName.find(name, among: all, \.name, kind: "command", prefix: "/")
    let text = "\(command.synopsis)\n\(command.help)"
    switch name {
    case "set":
      let settings = ChatSetting.all.map { ("  \($0.name) \($0.values)", $0.help) }
      return text + "\n\n" + inColumns(settings)
        + "\n\nPut a TEXT that has blanks in double quotes; \\n, \\t, \\\" and \\\\ are one character each."
    case "mode": return text + "\n\n" + modes
    default: return text
    }
  }

  static func inColumns(_ rows: [(name: String, text: String)]) -> String {
    let width = rows.map(\.name.count).max() ?? 0
    return rows.map { row in
      row.name + String(repeating: " ", count: width - row.name.count) + "  " + row.text
    }.joined(separator: "\n")
  }

  private static func set(_ session: ChatSession, _ text: String) throws {
    if text.isEmpty { return session.display.show(session.settingsText) }
    let name = String(text.prefix { !$0.isWhitespace })
    let setting = try ChatSetting.named(name)
    let value = String(text.dropFirst(name.count).drop(while: \.isWhitespace))
    if value.isEmpty { return session.display.show("\(name) \(setting.show(session.settings))") }
    try session.change(setting, to: value)
    session.display.remark("\(name) \(setting.show(session.settings))")
  }

  private static func mode(_ session: ChatSession, _ name: String) throws {
    if name.isEmpty { return session.display.show("mode \(session.mode.rawValue)") }
    guard let mode = ChatMode(rawValue: name) else {
      throw InputError("mode", found: name, oneOf: ChatMode.allCases.map(\.rawValue))
    }
    try session.change(mode: mode)
    session.display.remark("mode \(mode.rawValue)")
  }

  private static func load(_ session: ChatSession, _ name: String) throws {
    guard !name.isEmpty else {
      throw InputError("/load: found nothing after it, expected a model's name or path")
    }
    let isKept = try session.load(name)
    session.display.remark(
      "\(session.model.name)"
        + (isKept ? "" : ", the conversation is forgotten: one of the models has no tokenizer"))
  }

  private static func variant(_ session: ChatSession, _ name: String) throws {
    if name.isEmpty {
      let current = session.model.engine.variant.name
      return session.display.show("\(current), of \(Variant.names.joined(separator: ", "))")
    }
    try session.change(variant: session.host.variant(named: name))
    session.display.remark("\(name), the conversation goes on")
  }
}

extension ChatSession {
  var settingsText: String { ChatCommand.inColumns(ChatSetting.all.map { ($0.name, $0.show(settings)) }) }

  var statusText: String {
    var rows = [
      ("mode", mode.rawValue),
      ("context", "\(conversation.tokens.count) of \(conversation.context) tokens"),
      ("dropped", "\(droppedCount) tokens"),
      ("turns", "\(turnCount)"),
    ]
    if let time = lastTurn?.times.millisecondsToFirst {
      rows.append(("last TTFT", String(format: "%.1f ms", time)))
    }
    if let rate = lastTurn?.times.tokensPerSecond {
      rows.append(("last speed", String(format: "%.1f tok/s", rate)))
    }
    let memory = host.memory
    for (name, bytes) in [("memory", memory.resident), ("peak memory", memory.peak)] {
      if let bytes { rows.append((name, String(format: "%.1f MiB", Double(bytes) / 1_048_576))) }
    }
    return ChatCommand.inColumns(rows)
  }

  var infoText: String {
    let c = model.engine.configuration
    let machine = host.machine
    return ChatCommand.inColumns([
      ("model", model.name),
      (
        "shape",
        "\(c.layers) layers, \(c.heads) heads, \(c.channels) channels, \(c.parameterCount) parameters"
      ),
      (
        "vocabulary",
        "\(c.vocabulary)" + (model.tokenizer == nil ? ", no tokenizer: lines are token ids" : "")
      ),
      ("context", "\(c.context) tokens"),
      ("variant", "\(model.engine.variant.name), \(model.engine.variant.summary)"),
      ("weights", model.engine.variant.weights.rawValue),
      ("KV cache", model.engine.variant.cache.rawValue),
      ("threads", "\(model.engine.threads) of \(machine.cores) cores"),
      ("cpu", machine.cpu ?? "unknown"),
      ("system", machine.system),
    ])
  }
}

extension NearestName {
  /// - Throws: `InputError` that names the nearest one where there is no such one.
  static func find<Member>(
    _ name: String, among all: [Member], _ nameOf: (Member) -> String, kind: String, prefix: String = "",
    hint: String = ""
  ) throws -> Member {
    if let member = all.first(where: { nameOf($0) == name }) { return member }
    throw InputError(unknown: kind, name, among: all.map(nameOf), prefix: prefix, hint: hint)
  }
}
