import Files
import Foundation
import TestSupport
import Testing

@testable import Reporting

struct TraceFileTests {
  @Test func filesHoldTheTexts() throws {
    try withTemporaryFolder { folder in
      let timeline = Timeline.random(spans: 20_000, seed: 8)
      for _ in 0..<2 {
        try ChromeTrace(timeline).write(to: "\(folder)/trace.json")
        try FoldedStacks(timeline).write(to: "\(folder)/stacks.folded")
      }
      try expectEqual(contents("\(folder)/trace.json"), Data(try ChromeTrace(timeline).text.utf8))
      try expectEqual(contents("\(folder)/stacks.folded"), Data(try FoldedStacks(timeline).text.utf8))
      try expectEqual(names(in: folder), ["stacks.folded", "trace.json"])
    }
  }

  @Test func aTimelineThatIsRefusedLeavesTheFileAsItWas() throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/trace.json"
      try Data("before".utf8).write(to: URL(fileURLWithPath: path))
      // Enough before the fault that chunks were written.
      let spans: [(start: UInt64, duration: UInt64)] =
        (0..<10_000).map { (start: $0, duration: 1) } + [(start: 0, duration: 1)]
      expectEqual(message { try ChromeTrace(.single(spans)).write(to: path) }?.hasPrefix("timeline, "), true)
      expectEqual(message { try FoldedStacks(.single(spans)).write(to: path) }?.hasPrefix("timeline, "), true)
      try expectEqual(contents(path), Data("before".utf8))
      try expectEqual(names(in: folder), ["trace.json"])
    }
  }

  @Test func placesThatCannotBeWrittenAreNamed() throws {
    try withTemporaryFolder { folder in
      try FileManager.default.createDirectory(atPath: "\(folder)/taken", withIntermediateDirectories: false)
      for (path, reason) in [
        ("\(folder)/missing/trace", "no such file or directory"), ("\(folder)/taken", "is a folder"),
        ("/dev/null", "is a device or a pipe"),
      ] {
        let expected = FileError(path: path, reason: reason)
        #expect(throws: expected) { try ChromeTrace(.small()).write(to: path) }
        #expect(throws: expected) { try FoldedStacks(.small()).write(to: path) }
      }
      #expect(throws: FileError(path: "''", reason: "is no path")) {
        try ChromeTrace(.small()).write(to: "")
      }
      try expectEqual(names(in: folder), ["taken"])
    }
  }

  /// The bound is far above what it takes, and far below what a `String` for each event would.
  @Test func aMillionSpansAreWrittenWithoutHoldingTheRunUp() throws {
    try withTemporaryFolder { folder in
      let timeline = Timeline.random(spans: 1_000_000, seed: 9)
      let path = "\(folder)/trace.json"
      let written = try threadTime { try ChromeTrace(timeline).write(to: path) }
      let folded = try threadTime { try FoldedStacks(timeline).write(to: "\(folder)/stacks.folded") }
      #expect(written < .seconds(20) && folded < .seconds(20), "\(written), \(folded)")
      let (events, sampled) = try events(at: path)
      // Both ends of each span, a process, three threads with name and place, fifty samples.
      expectEqual(events, 2 * 1_000_000 + 1 + 6 + 50)
      for line in sampled {
        let event = try JSONSerialization.jsonObject(with: line) as? [String: Any]
        #expect(event?["ph"] is String && event?["ts"] is NSNumber)
      }
    }
  }

  /// The number of lines between the first and the last, and one in a thousand of them without its comma.
  private func events(at path: String) throws -> (count: Int, sampled: [Data]) {
    let data = try contents(path)
    let lines = lines(of: data)
    let (first, last) = (try #require(lines.first), try #require(lines.last))
    #expect(data[first].starts(with: Data("{\"displayTimeUnit\":".utf8)) && data[last] == Data("]}".utf8))
    let events = lines.dropFirst().dropLast()
    let comma = UInt8(ascii: ",")
    #expect(events.dropLast().allSatisfy { data[$0.upperBound - 1] == comma })
    expectEqual(events.last.map { data[$0.upperBound - 1] }, UInt8(ascii: "}"))
    let sampled = stride(from: events.startIndex, to: events.endIndex - 1, by: 1_000).map {
      Data(data[events[$0]].dropLast())
    }
    return (events.count, sampled)
  }

  /// Where the lines lie in the file, without their ends.
  private func lines(of data: Data) -> [Range<Int>] {
    data.withUnsafeBytes { bytes in
      var lines: [Range<Int>] = []
      var start = 0
      while let base = bytes.baseAddress, let end = memchr(base + start, 0x0A, bytes.count - start) {
        lines.append(start..<(UnsafeRawPointer(end) - base))
        start = lines[lines.count - 1].upperBound + 1
      }
      return lines
    }
  }

  private func contents(_ path: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: path))
  }

  private func names(in folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
  }
}
