import Foundation
import Statistics
import TestSupport
import Testing

@testable import Record
@testable import Reporting

struct ReportFolderTests {
  private let started = "2026-01-02T03:04:05Z"

  @Test func foldersAreNamedByTimeAndModelAndNeverShared() throws {
    try withTemporaryFolder { root in
      let parent = "\(root)/deep/reports"
      let names = try (0..<3).map { _ in
        try ReportFolder.create(in: parent, started: started, model: "synthetic:tiny").path
      }
      expectEqual(
        names, ["", "-2", "-3"].map { "\(parent)/2026-01-02T03-04-05Z-synthetic-tiny\($0)" })
      try expectEqual(contents(parent).count, 3)
      #expect(try contents(names[0]).isEmpty)
    }
  }

  @Test(arguments: [
    ("synthetic:12,12,768,50257,1024", "synthetic-12-12-768-50257-1024"), ("../../etc", "etc"),
    ("a b|c", "a-b-c"),
    ("..", "model"), ("", "model"), ("é漢", "model"), ("-x-", "x"),
    (String(repeating: "a", count: 300), String(repeating: "a", count: 60)),
  ])
  func namesAreSafeForAFileSystem(model: String, expected: String) throws {
    try withTemporaryFolder { root in
      let folder = try ReportFolder.create(in: root, started: started, model: model)
      expectEqual(folder.path, "\(root)/2026-01-02T03-04-05Z-\(expected)")
    }
  }

  @Test func aFolderOfTheCallersChoiceIsTakenAsItIs() throws {
    try withTemporaryFolder { root in
      let path = "\(root)/mine/here"
      try expectEqual(ReportFolder.create(at: path).path, path)
      try Data("kept".utf8).write(to: URL(fileURLWithPath: "\(path)/notes.txt"))
      try expectEqual(ReportFolder.create(at: path).path, path)
      try expectEqual(contents(path), ["notes.txt"])
    }
  }

  @Test func aFileInTheWayIsNamedBeforeAnythingIsMeasured() throws {
    try withTemporaryFolder { root in
      let file = "\(root)/file"
      try Data().write(to: URL(fileURLWithPath: file))
      expectEqual(
        message { try ReportFolder.create(at: file) },
        "\(file): is a file, expected a folder that can be written")
      expectEqual(
        message { try ReportFolder.create(at: "\(file)/inside") }?.hasPrefix(
          "\(file)/inside: cannot be made: "),
        true)
      expectEqual(
        message { try ReportFolder.create(in: file, started: started, model: "m") },
        "\(file): is a file, expected a folder that can be written")
    }
  }

  @Test(.enabled(if: getuid() != 0, "root may write everywhere"))
  func aFolderWithoutPermissionIsNamed() throws {
    try withTemporaryFolder { root in
      try FileManager.default.setAttributes([.posixPermissions: 0o500], ofItemAtPath: root)
      defer { try? FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: root) }
      let found = message { try ReportFolder.create(at: root) }
      expectEqual(found?.hasSuffix("permission denied, expected a folder that can be written"), true)
    }
  }

  @Test func everyWriteReplacesAllFilesWhole() throws {
    try withTemporaryFolder { root in
      let folder = try ReportFolder.create(at: root)
      var record = Fixture.small()
      record.isComplete = false
      try folder.write(record)
      let names = ["record.json", "report.html", "report.md", "results.csv", "samples.csv"]
      try expectEqual(contents(root), names)
      let before = try #require(FileHandle(forReadingAtPath: "\(root)/report.md"))
      record.isComplete = true
      try folder.write(record)
      try expectEqual(contents(root), names)
      let old = String(decoding: try before.readToEnd() ?? Data(), as: UTF8.self)
      expectContains(old, "The run is incomplete")
      try expectEqual(text("\(root)/report.md"), RunReport(record).markdown)
      try expectEqual(text("\(root)/report.html"), HTMLReport(record).text)
      try expectEqual(text("\(root)/results.csv"), CSVReport(record).results)
      try expectEqual(text("\(root)/samples.csv"), CSVReport(record).samples)
      try expectEqual(Record.read(path: "\(root)/record.json"), record)
    }
  }

  @Test func aRecordThatCannotBeWrittenLeavesTheOldFiles() throws {
    try withTemporaryFolder { root in
      let folder = try ReportFolder.create(at: root)
      var record = Fixture.small()
      try folder.write(record)
      let old = try text("\(root)/report.md")
      record.warnings = ["new"]
      record.cells[0].flops = .nan
      #expect(throws: EncodingError.self) { try folder.write(record) }
      try expectEqual(text("\(root)/report.md"), old)
      try expectEqual(contents(root).count, 5)
    }
  }

  @Test func aFolderThatWentAwayIsNamed() throws {
    try withTemporaryFolder { root in
      let folder = try ReportFolder.create(at: "\(root)/gone")
      try FileManager.default.removeItem(atPath: "\(root)/gone")
      let found = message { try folder.write(Fixture.small()) }
      expectEqual(found?.hasPrefix("\(root)/gone/record.json: "), true)
      expectEqual(found?.hasSuffix(", expected a folder that can be written"), true)
    }
  }

  @Test func damagedBytesGiveOneLineOrARecordThatCanBeReported() throws {
    var troubled = Fixture.troubled()
    troubled.conditions = Fixture.quietConditions()
    troubled.conditions?.pagesSwappedIn = nil
    let data = try troubled.encode()
    var generator = SplitMix64(seed: 7)
    let bytes = Array("0123456789-.e\"{}[],:ntf".utf8)
    for _ in 0..<400 {
      var damaged = data
      for _ in 0..<Int.random(in: 1...3, using: &generator) {
        let place = Int.random(in: 0..<data.count, using: &generator)
        damaged[place] = bytes[Int.random(in: bytes.indices, using: &generator)]
      }
      do {
        let record = try Record.decode(damaged, path: "r.json")
        #expect(!RunReport(record).markdown.contains("nan"))
        #expect(!CSVReport(record).results.contains(",0,"))
        #expect(!TerminalTable(record, colour: true).text.contains("nan"))
      } catch let error as RecordError {
        #expect(!error.description.contains("\n"))
      }
    }
  }

  private func contents(_ path: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path).sorted()
  }

  private func text(_ path: String) throws -> String {
    String(decoding: try Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self)
  }
}
