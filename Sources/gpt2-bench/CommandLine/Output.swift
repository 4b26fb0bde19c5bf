import Files
import Foundation
import Record
import Reporting

/// A result that goes to a file where one is named, otherwise to standard output.
enum Output {
  /// Called before the work, so that a path that cannot be written costs no minutes.
  ///
  /// - Throws: `RunError` where there is no folder to write to, or something in the file's place that is none: files are
  ///   written beside their place and moved there, which would do away with a device or a pipe.
  static func refuseUnwritable(_ path: String?, option: String = "--out") throws {
    guard let path else { return }
    if path.isEmpty || isFolder(path) == true {
      throw RunError(
        "\(option): found \(path.isEmpty ? "nothing" : "the folder \(path)"), expected a file's path")
    }
    var status = stat()
    if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
      throw RunError("\(option): found \(path), a device or a pipe, expected a file's path")
    }
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
    guard isFolder(folder) == true else {
      throw RunError("\(path): cannot be written: there is no folder \(folder)")
    }
    guard FileManager.default.isWritableFile(atPath: folder) else {
      throw RunError("\(path): cannot be written: the folder \(folder) does not permit it")
    }
  }

  static func put(_ text: String, _ path: String?, _ console: Console) throws {
    let whole = text.hasSuffix("\n") ? text : text + "\n"
    guard let path else { return console.write(whole) }
    try refuseUnwritable(path)
    try write(to: path) { Data(whole.utf8) }
    console.note("\(path): written")
  }

  /// A record of this run in the form that is asked for; where nothing is, what the terminal shows, or Markdown in a
  /// file. Where the file cannot be written, the record itself is kept, and the error says where.
  static func put(
    _ record: Record, as format: RecordFormat?, _ path: String?, _ console: Console,
    terminal: (_ colour: Bool, _ width: Int) -> String
  ) throws {
    if format == nil, path == nil {
      console.print(terminal(console.usesColor, console.width))
    } else {
      let text = try (format ?? .markdown).text(of: record)
      do { try put(text, path, console) } catch let error as RunError {
        throw RecordKeeper.rescued(record, after: "\(error)")
      }
    }
  }

  /// What a terminal shows where neither a format nor a file is asked for; elsewhere the format, or Markdown.
  static func put(
    _ path: String?, _ console: Console, isFormatted: Bool, text: @autoclosure () throws -> String,
    terminal: (_ colour: Bool, _ width: Int, _ isVerbose: Bool) -> String
  ) throws {
    guard !isFormatted, path == nil, console.isTerminal else { return try put(text(), path, console) }
    console.write(terminal(console.usesColor, console.width, console.isVerbose))
  }

  /// Readers never meet half of the file.
  ///
  /// - Throws: `RunError` where the file cannot be written or `contents` throws.
  static func write(to path: String, _ contents: () throws -> Data) throws {
    do { try WholeFile.write(to: path, contents()) } catch {
      throw RunError("\(path): cannot be written: \(systemReason(of: error))")
    }
  }

  /// The folder at `path`, made where there is none.
  ///
  /// - Throws: `RunError` naming `file`, which was to be written there.
  static func makeFolder(_ path: String, for file: String) throws {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch { throw RunError("\(file): cannot be written: \(systemReason(of: error))") }
  }

  static func isFile(_ path: String) -> Bool { isFolder(path) == false }

  static func isProgram(_ path: String) -> Bool {
    isFile(path) && FileManager.default.isExecutableFile(atPath: path)
  }

  /// The program that a name without a slash means: the first of the folders of `PATH`.
  static func program(inPath name: String) -> String? {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    return folders.lazy.map { "\($0)/\(name)" }.first(where: isProgram)
  }

  /// Whether what is at `path` is a folder; nil where nothing is.
  static func isFolder(_ path: String) -> Bool? {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) ? isFolder.boolValue : nil
  }
}

extension Arguments {
  /// The path of `--out`, where it can be written.
  func outFile() throws -> String? {
    let path = string("--out")
    try Output.refuseUnwritable(path)
    return path
  }

  func runOutput() throws -> EndToEnd.StandardOutput {
    try choice("--format", of: RecordFormat.all(of: .endToEnd)).map { .record($0) } ?? .tables
  }
}

extension Option {
  static let resultFormat = Option(
    "--format", value: "F", choices: ResultFormat.allCases.map(\.rawValue), default: "a table for people",
    help: ResultFormat.allCases.map(\.rawValue).joined(separator: ", ") + ": nothing else on standard output")
  static let runFormat = Option(
    "--format", value: "F", choices: RecordFormat.allCases.map(\.rawValue), default: "tables for people",
    help: "print the record in one of the formats of 'report', and nothing else on standard output")
}

enum RecordFormat: String, CaseIterable {
  case markdown = "md"
  case csv
  case json
  case html
  case gitHub = "github"
  case gitHubAction = "github-action"
  case bencher = "bmf"
  case llamaBench = "llama-bench"
  case llamaBenchSQL = "llama-bench-sql"

  /// Of a command that makes or reads records of this kind.
  static func option(of kind: Record.Kind) -> Option { option(all(of: kind)) }

  /// - Parameter remark: what help says after their names.
  static func option(_ formats: [RecordFormat], remark: String = "") -> Option {
    let names = formats.map(\.rawValue)
    return Option(
      "--format", value: "F", choices: names, default: onTerminal,
      help: names.joined(separator: ", ") + remark)
  }

  /// What commands do that show a stored record, where no format is asked for.
  static let onTerminal = "tables on a terminal, else md"

  /// Those that are not llama-bench's, which has no tests of matrix products and other operations, and no comparisons.
  static let ownAndServices = allCases.filter { ![.llamaBench, .llamaBenchSQL].contains($0) }

  /// Those that can show a record of this kind.
  static func all(of kind: Record.Kind) -> [RecordFormat] { kind == .endToEnd ? allCases : ownAndServices }

  /// - Throws: `RunError` where the format cannot show a record of its kind.
  func text(of record: Record) throws -> String {
    guard Self.all(of: record.kind).contains(self) else {
      throw RunError(
        "--format \(rawValue): found a record of kind \(record.kind.rawValue), "
          + "expected \(Record.Kind.endToEnd.rawValue)")
    }
    return switch self {
    case .markdown: RunReport(record).markdown
    case .html: HTMLReport(record).text
    case .csv: record.cells.isEmpty ? ProfileCSV(record).text : CSVReport(record).results
    case .json: String(decoding: try record.encode(), as: UTF8.self)
    case .gitHub: RunReport(record).gitHubComment
    case .gitHubAction: try BenchmarkActionReport(record).json
    case .bencher: try BencherReport(record).json
    case .llamaBench: LlamaBenchReport(record).csv
    case .llamaBenchSQL: LlamaBenchReport(record).sql
    }
  }
}
