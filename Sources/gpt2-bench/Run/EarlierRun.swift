import Foundation
import Record
import Reporting

/// Where runs are kept: a folder with a folder for each of them.
enum StoredRuns {
  /// The records' files, the newest first.
  static func paths(in folder: String) -> [String] {
    let files = FileManager.default
    let names = (try? files.contentsOfDirectory(atPath: folder)) ?? []
    let dated = names.compactMap { name -> (path: String, changed: Date)? in
      let path = "\(folder)/\(name)/\(ReportFolder.recordName)"
      let changed = try? files.attributesOfItem(atPath: path)[.modificationDate] as? Date
      return changed.map { (path, $0) }
    }
    return dated.sorted { $0.changed > $1.changed }.map(\.path)
  }
}

/// The newest run before another one, of the same work on the same machine. It knows where runs are kept; how two of
/// them are compared is `Comparison`'s.
struct EarlierRun {
  let record: Record
  let path: String

  /// Records that are looked at, the newest first: years of runs are not read for one line.
  private static let most = 50

  /// - Parameter path: the later run's folder; the earlier one's is beside it. Records that cannot be read are passed over.
  /// - Returns: nil where no earlier run has a figure for a cell of `record`.
  init?(before record: Record, beside path: String) {
    let own = URL(fileURLWithPath: path)
    let others = StoredRuns.paths(in: own.deletingLastPathComponent().path).lazy.filter {
      URL(fileURLWithPath: $0).deletingLastPathComponent().lastPathComponent != own.lastPathComponent
    }
    for path in others.prefix(Self.most) {
      // Both may have started in one second.
      guard let earlier = try? Record.read(path: path), earlier.started <= record.started,
        Comparison.carriesOver(from: earlier, to: record)
      else { continue }
      (self.record, self.path) = (earlier, path)
      return
    }
    return nil
  }

  /// What became faster or slower since, in a few lines for a terminal of `width` columns.
  /// - Parameter headPath: the later record's file.
  func change(to head: Record, at headPath: String, width: Int) -> [String] {
    let comparison = Comparison(base: record, head: head)
    let commit = record.build.commit.map { ", commit \($0)" } ?? ""
    let words = [Project.typedExecutable, "compare"] + [path, headPath].map(Project.shown)
    let changes = [comparison.summary] + comparison.changes
    return ["since the run of \(record.started)\(commit) (unpaired):".safeLine.wrapped(to: width)]
      + changes.map { "  " + $0.safeLine.wrapped(to: width - 2, indent: 4) }
      + [commandToType(words, after: "  every row: ", width: width)]
  }
}
