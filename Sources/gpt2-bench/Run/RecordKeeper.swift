import Files
import Foundation
import Record
import Reporting

/// Keeps a run's record, and the reports of it, in a folder while the run goes on. Where that can be written no more,
/// because it was removed or the disk is full, what was measured goes to a new folder among the temporary ones, and the
/// run ends.
struct RecordKeeper {
  let folder: ReportFolder

  /// Where the record has been written before anything is measured: `FileError` of a place that cannot be.
  ///
  /// - Parameters:
  ///   - option: names the folder; where it is not given, a new one is made in the folder of `--history`, or among the
  ///     project's reports.
  ///   - model: ends a new folder's name.
  init(_ arguments: Arguments, _ option: String, in project: Project, started: Date, model: String) throws {
    let path = arguments.string(option)
    let history = arguments.string(Option.history.names[0])
    guard path != "" else { throw UsageError(option, found: "", expected: "a folder") }
    if let history, history.isEmpty || path != nil {
      throw UsageError(
        Option.history.names[0], found: history,
        expected: "a folder, and no \(option) with it, which names another")
    }
    folder =
      try path.map { try ReportFolder.create(at: $0) }
      ?? ReportFolder.create(
        in: history ?? project.reports, started: started.formatted(.iso8601), model: model)
  }

  init(at path: String) throws { folder = try ReportFolder.create(at: path) }

  /// - Throws: `RunError` that says what failed, and where the record is.
  func keep(_ record: Record) throws {
    do { try folder.write(record) } catch let error as FileError {
      throw Self.rescued(record, in: [folder], after: Self.words(error))
    }
  }

  /// Likewise, of an interleaved comparison.
  func keep(_ record: PairedRecord) throws {
    do { try folder.write(record) } catch let error as FileError {
      var record = record
      record.stop(Self.words(error))
      throw Self.rescued(in: [folder], after: Self.words(error)) { try $0.write(record) }
    }
  }

  /// The error that says `words`, and where the record is now.
  ///
  /// - Parameter folders: those that are tried before a new one.
  static func rescued(_ record: Record, in folders: [ReportFolder] = [], after words: String) -> RunError {
    var record = record
    record.stop(words)
    return rescued(in: folders, after: words) { try $0.keep(record) }
  }

  private static func rescued(
    in folders: [ReportFolder], after words: String, _ write: (ReportFolder) throws -> Void
  ) -> RunError {
    for folder in folders where (try? write(folder)) != nil {
      return RunError("\(words); the record is in \(folder.recordPath)")
    }
    do {
      let folder = try ReportFolder.create(
        in: FileManager.default.temporaryDirectory.path, started: Date().formatted(.iso8601), model: "rescued"
      )
      do { try write(folder) } catch {
        folder.removeEmpty()
        throw error
      }
      return RunError("\(words); the record is in \(folder.recordPath)")
    } catch {
      return RunError("\(words); the record is lost: \((error as? FileError).map(Self.words) ?? "\(error)")")
    }
  }

  private static func words(_ error: FileError) -> String {
    "\(error.path): cannot be written: \(error.reason)"
  }
}

extension Record {
  /// Says why the run ended before its time, unless it had ended.
  mutating func stop(_ reason: String?) { if !isComplete { stopped = stopped ?? reason } }
}

extension PairedRecord {
  mutating func stop(_ reason: String?) { if !isComplete { stopped = stopped ?? reason } }
}
