import Foundation
import Record

/// Records that later runs are compared with, in `Benchmarks/baselines`, each by its name.
struct Baselines {
  private let folder: String

  init(in project: Project) { folder = project.root + "/Benchmarks/baselines" }

  /// A baseline's name: ASCII letters, digits, `.`, `_` and `-`, at most 64 of them, a letter or a digit first, and
  /// no `.json` behind it. So it is one file in the folder on every system, and nobody takes it for a file's name.
  struct Name: Equatable {
    let text: String

    init?(_ text: String) {
      let isAllowed = text.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
          return true
        default: return false
        }
      }
      guard isAllowed, (1...64).contains(text.utf8.count), let first = text.first, !"._-".contains(first),
        !text.hasSuffix(".json")
      else { return nil }
      self.text = text
    }
  }

  func path(of name: Name) -> String { "\(folder)/\(name.text).json" }

  /// Sorted; empty where there is no folder.
  var names: [Name] {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return files.sorted().filter { $0.hasSuffix(".json") }.compactMap { Name(String($0.dropLast(5))) }
  }

  /// The record that `text` means: a file of that path, else the baseline of that name. What can only be a path is
  /// one, whether or not it is there.
  ///
  /// - Throws: `RunError` where there is neither.
  func path(meaning text: String) throws -> String {
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: text, isDirectory: &isFolder), !isFolder.boolValue {
      return text
    }
    guard let name = Name(text) else { return text }
    if names.contains(name) { return path(of: name) }
    let known = names.map(\.text).joined(separator: ", ")
    throw RunError(
      "--baseline: found '\(text)', expected a record's file"
        + (known.isEmpty ? "; there are no baselines" : " or one of the baselines \(known)"))
  }

  /// Keeps the record under the name, in place of the one that has it; readers never meet half of a file. A run that
  /// is not whole, or where a check failed, is not kept, and `console` is told so.
  ///
  /// - Throws: `RunError` where the file cannot be written.
  func save(_ record: Record, as name: Name, _ console: Console) throws {
    guard record.runExitCode == .done else {
      return console.warn("baseline \(name.text): not saved, since the run is not whole or a check failed")
    }
    let path = path(of: name)
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      try record.encode().write(to: URL(fileURLWithPath: path), options: .atomic)
    } catch {
      throw RunError("\(path): cannot be written: \((error as NSError).localizedDescription)")
    }
    console.note("\(Project.shown(path)): written")
  }
}

extension Option {
  static let saveBaseline = Option(
    "--save-baseline", value: "NAME",
    help: "keep the record as Benchmarks/baselines/NAME.json, where every check passed")
}

extension Arguments {
  /// Nil where no baseline is to be saved.
  func baselineToSave() throws -> Baselines.Name? {
    let option = Option.saveBaseline.names[0]
    guard let text = string(option) else { return nil }
    guard let name = Baselines.Name(text) else {
      throw UsageError(
        option, found: text,
        expected:
          "a name of at most 64 letters, digits, '.', '_' and '-', a letter or a digit first, without .json")
    }
    return name
  }
}
