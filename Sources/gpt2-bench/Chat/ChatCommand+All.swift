import GPT2Kernels
import GPT2Model

extension ChatCommand {
  static let all: [ChatCommand] = [
    ChatCommand(name: "help", operands: "[COMMAND]", help: "this text") { session, name in
      session.display.show(try name.isEmpty ? overview : help(of: name))
      return .goOn
    },
    ChatCommand(name: "settings", help: "every setting and its value") { session, _ in
      session.display.show(session.settingsText)
      return .goOn
    },
    ChatCommand(name: "set", operands: "NAME [VALUE]", help: "change a setting, or show it") {
      session, text in
      try set(session, text)
      return .goOn
    },
    ChatCommand(name: "reset", help: "all settings as the chat was started with them") { session, _ in
      session.resetSettings()
      session.display.remark("settings as at the start")
      return .goOn
    },
    ChatCommand(name: "clear", help: "forget the conversation, and clear the screen") { session, _ in
      session.forget()
      session.display.clear()
      session.display.remark("the conversation is forgotten")
      return .goOn
    },
    ChatCommand(name: "status", help: "the context's use, turns, the last turn's speed, memory") {
      session, _ in
      session.display.show(session.statusText)
      return .goOn
    },
    ChatCommand(
      name: "mode", operands: "[complete|dialogue]", help: "how lines become text, or which mode it is"
    ) { session, name in
      try mode(session, name)
      return .goOn
    },
    ChatCommand(name: "info", help: "model, variant, threads, machine") { session, _ in
      session.display.show(session.infoText)
      return .goOn
    },
    ChatCommand(
      name: "load", operands: "MODEL", help: "another model; the conversation stays where both have text"
    ) { session, name in
      try load(session, name)
      return .goOn
    },
    ChatCommand(
      name: "variant", operands: "[NAME]",
      help: "another variant, or which ones there are; the conversation stays"
    ) { session, name in
      try variant(session, name)
      return .goOn
    },
    ChatCommand(name: "quit", help: "end; control-D on an empty line does the same") { _, _ in .quit },
  ]

  /// What may stand behind a command's name.
  static func choices(behind name: String) -> [String] {
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
    let width = all.map(\.synopsis.count).max() ?? 0
    let commands = all.map { "\($0.synopsis.padding(to: width))  \($0.help)" }
    return """
      What you type is added to a text, and the model goes on with it. GPT-2 is a base model: it continues texts, and
      was never taught to answer or to follow instructions.

      \(commands.joined(separator: "\n"))

      //…  a text that begins with a slash
      An empty line lets the model go on. When the context is full, the older half of the text is dropped.

      \(modes)

      '/help set' lists the settings.
      """
  }

  private static let modes = """
    mode complete: all of it is one text; a line of yours begins on a line of its own (/set separator).
    mode dialogue: the text is a dialogue, 'USER: what you type', then 'GPT:' for the model (/set user, /set answer);
                   an answer ends where the next line of a speaker begins.
    """

  private static func help(of name: String) throws -> String {
    let name = name.hasPrefix("/") ? String(name.dropFirst()) : name
    guard let command = all.first(where: { $0.name == name }) else {
      throw UsageError(
        "unknown command '/\(name)'" + NearestName.advice(name, among: all.map(\.name), prefix: "/"))
    }
    let text = "\(command.synopsis)\n\(command.help)"
    switch name {
    case "set":
      let names = ChatSetting.all.map { "\($0.name) \($0.values)" }
      let width = names.map(\.count).max() ?? 0
      let lines = zip(names, ChatSetting.all).map { "  \($0.padding(to: width))  \($1.help)" }
      return text + "\n\n" + lines.joined(separator: "\n")
        + "\n\nA TEXT with blanks stands in double quotes; \\n, \\t, \\\" and \\\\ are one character each."
    case "mode": return text + "\n\n" + modes
    default: return text
    }
  }

  private static func set(_ session: ChatSession, _ text: String) throws {
    guard !text.isEmpty else {
      session.display.show(session.settingsText)
      return
    }
    let name = String(text.prefix { !$0.isWhitespace })
    let setting = try ChatSetting.named(name)
    let value = String(text.dropFirst(name.count).drop(while: \.isWhitespace))
    guard !value.isEmpty else {
      session.display.show("\(name) \(setting.show(session.settings))")
      return
    }
    try session.change(setting, to: value)
    session.display.remark("\(name) \(setting.show(session.settings))")
  }

  private static func mode(_ session: ChatSession, _ name: String) throws {
    guard !name.isEmpty else {
      session.display.show("mode \(session.mode.rawValue)")
      return
    }
    guard let mode = ChatMode(rawValue: name) else {
      let names = ChatMode.allCases.map(\.rawValue)
      throw UsageError("mode", found: name, expected: "one of \(names.joined(separator: ", "))")
    }
    try session.change(mode: mode)
    session.display.remark("mode \(mode.rawValue)")
  }

  private static func load(_ session: ChatSession, _ name: String) throws {
    guard !name.isEmpty else {
      throw UsageError("/load: found nothing behind it, expected a model's name or path")
    }
    let isKept = try session.load(name)
    session.display.remark(
      "\(session.model.name)"
        + (isKept ? "" : ", the conversation is forgotten: one of the models has no tokenizer"))
  }

  private static func variant(_ session: ChatSession, _ name: String) throws {
    guard !name.isEmpty else {
      session.display.show(
        "\(session.model.engine.variant.name), of \(Variant.names.joined(separator: ", "))")
      return
    }
    try session.change(variant: Arguments.variant(name, "variant"))
    session.display.remark("\(name), the conversation goes on")
  }
}
