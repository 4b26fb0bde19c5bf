import Chat
import Foundation
import GPT2Kernels

/// Another program that takes part in a run: it speaks the lines of `Benchmarks/peers/README.md`.
struct Peer: Equatable {
  /// What tables call it.
  let name: String
  /// The command as it was typed.
  let command: String
  /// A path, or a name that is looked up in `PATH`.
  let executable: String
  let arguments: [String]

  static let option = "--contestant"

  /// - Parameter text: `NAME=COMMAND`, the command's words divided as a shell does it.
  /// - Throws: `UsageError` for anything that could not be started.
  init(_ text: String) throws {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2 else {
      throw UsageError(
        Self.option, found: text, expected: "NAME=COMMAND, for example llama='python3 llama.py'")
    }
    (name, command) = (parts[0], parts[1])
    guard !name.isEmpty, name.unicodeScalars.allSatisfy(Self.isAllowed) else {
      throw UsageError(
        Self.option, found: text, expected: "a name of letters, digits, '.', '_', '+' or '-' before the '='")
    }
    guard !Variant.names.contains(name) else {
      throw UsageError(Self.option, found: text, expected: "a name that no variant has")
    }
    let words = try QuotedWords.split(command, .shell, name: Self.option)
    guard let program = words.first, !program.isEmpty else {
      throw UsageError(Self.option, found: text, expected: "a command behind the '='")
    }
    guard Self.isExecutable(program) else {
      throw UsageError(
        "\(Self.option): \(name): found no program '\(program)', expected one in PATH, or a path from this folder"
      )
    }
    executable = program
    arguments = Array(words.dropFirst())
  }

  /// Several of them.
  ///
  /// - Throws: `UsageError` also where two have one name.
  static func all(_ texts: [String]) throws -> [Peer] {
    var peers: [Peer] = []
    for text in texts {
      let peer = try Peer(text)
      guard !peers.contains(where: { $0.name == peer.name }) else {
        throw UsageError(option, found: text, expected: "a name that no other contestant has")
      }
      peers.append(peer)
    }
    return peers
  }

  private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "a"..."z", "A"..."Z", "0"..."9", ".", "_", "+", "-": true
    default: false
    }
  }

  /// As `posix_spawnp` finds it: a word with a slash is a path, any other is looked up.
  private static func isExecutable(_ program: String) -> Bool {
    func isFile(_ path: String) -> Bool {
      var isFolder: ObjCBool = false
      return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && !isFolder.boolValue
        && FileManager.default.isExecutableFile(atPath: path)
    }
    if program.contains("/") { return isFile(program) }
    let folders = ProcessInfo.processInfo.environment["PATH"] ?? ""
    return folders.split(separator: ":").contains { isFile("\($0)/\(program)") }
  }
}

extension Option {
  static let contestant = Option(
    Peer.option, value: "NAME=COMMAND", isRepeatable: true,
    help: "another program, measured in the same rounds; several times for several (--variants none: alone)")
  static let contestantTolerance = Option(
    "--contestant-tolerance", value: "F",
    help: "logits of other programs may be off by F times what float32 may (default 1); the report says so")
}
