import Foundation
import Record
import Reporting

enum Report: Command {
  static let description = CommandDescription(
    name: "report", summary: "makes the reports of a run's or a comparison's record again",
    operands: "RECORD", operandCount: 1...1,
    options: [
      Option("--format", value: "F", help: RecordFormat.allCases.map(\.rawValue).joined(separator: ", ")),
      .outFile,
    ])

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    let format = try arguments.recordFormat(of: RecordFormat.allCases) ?? .markdown
    let (path, out) = (arguments.operands[0], arguments.string("--out"))
    switch try RecordFile.read(path: path) {
    case .run(let record): try Output.put(format.text(of: record), out, console)
    case .builds(let record):
      try record.settings.checkTexts(path: path)
      let head = Record(headOf: record)
      if let format = ComparisonFormat(rawValue: format.rawValue) {
        try format.put(try Comparison(record), head: head, to: out, console)
      } else {
        try Output.put(format.text(of: head), out, console)
      }
    }
    return .done
  }
}

/// A result that goes to a file where one is named, otherwise to standard output.
enum Output {
  /// Called before the work, so that a path that cannot be written costs no minutes.
  ///
  /// - Throws: `RunError` where there is no folder to write to, or something in the file's place that is none: files are
  ///   written beside their place and moved there, which would do away with a device or a pipe.
  static func refuseUnwritable(_ path: String?, option: String = "--out") throws {
    guard let path else { return }
    let manager = FileManager.default
    var isFolder: ObjCBool = false
    if path.isEmpty || (manager.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue) {
      throw RunError(
        "\(option): found \(path.isEmpty ? "nothing" : "the folder \(path)"), expected a file's path")
    }
    var status = stat()
    if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
      throw RunError("\(option): found \(path), a device or a pipe, expected a file's path")
    }
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
    guard manager.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue else {
      throw RunError("\(path): cannot be written: there is no folder \(folder)")
    }
    guard manager.isWritableFile(atPath: folder) else {
      throw RunError("\(path): cannot be written: the folder \(folder) does not permit it")
    }
  }

  static func put(_ text: String, _ path: String?, _ console: Console) throws {
    let whole = text.hasSuffix("\n") ? text : text + "\n"
    guard let path else { return console.write(whole) }
    try refuseUnwritable(path)
    do { try Data(whole.utf8).write(to: URL(fileURLWithPath: path), options: .atomic) } catch {
      throw RunError("\(path): cannot be written: \((error as NSError).localizedDescription)")
    }
    console.note("\(path): written")
  }
}

extension Option {
  static let outFile = Option("--out", value: "FILE", help: "write there instead of standard output")
}
