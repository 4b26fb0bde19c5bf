import Foundation
import Record
import Reporting
import TestSupport
import Testing

/// What only a run writes, made from a stored record: the terminal's tables, the files of a report folder, the tree of a
/// profile and traces. The files in `Goldens/rendered` hold it; `GPT2_BENCH_GOLDENS=write` makes them anew.
struct RenderingGoldenTests {
  private func record(_ name: String) throws -> Record {
    try Record.read(path: "\(Goldens.folder)/inputs/\(name).json")
  }

  @Test(arguments: ["whole", "batch", "peer", "troubled", "counters", "matmul", "ops"])
  func tablesForTheTerminal(name: String) throws {
    let record = try record(name)
    for width in [80, 120] {
      try Goldens.expect(
        TerminalTable(record, colour: false, width: width).text, "terminal-\(name)-\(width).txt")
    }
    if name == "troubled" {
      try Goldens.expect(
        TerminalTable(record, colour: true, width: 100).text, "terminal-\(name)-colour.txt")
    }
  }

  @Test func profileTrees() throws {
    for name in ["profile", "whole"] {
      let record = try record(name)
      for width in [80, 120] {
        try Goldens.expect(
          ProfileText(record, colour: false, width: width).text, "profile-\(name)-\(width).txt")
      }
    }
    try Goldens.expect(
      ProfileText(try record("profile"), colour: true, width: 100).text, "profile-colour.txt")
  }

  @Test func filesOfAReportFolder() throws {
    let sandbox = try Sandbox()
    let whole = try record("whole")
    let folder = try ReportFolder.create(at: sandbox.path("whole"))
    try folder.write(whole)
    expectEqual(
      sandbox.contents,
      [
        "whole", "whole/profile.csv", "whole/record.json", "whole/report.html", "whole/report.md",
        "whole/results.csv", "whole/samples.csv",
      ])
    for name in ["profile.csv", "samples.csv"] {
      try Goldens.expect(try sandbox.text("whole/\(name)"), "folder-\(name)")
    }
    try expectEqual(sandbox.text("whole/report.html"), HTMLReport(whole).text)
    try expectEqual(Record.read(path: sandbox.path("whole/record.json")), whole)
    // These are held against what `report` writes.
    for (name, golden) in [("report.md", "report-whole.md"), ("results.csv", "report-whole.csv")] {
      let text = try String(contentsOfFile: "\(Goldens.folder)/expected/\(golden)", encoding: .utf8)
      try expectEqual(sandbox.text("whole/\(name)"), text)
    }
    for name in ["counters", "matmul"] {
      let folder = try ReportFolder.create(at: sandbox.path(name))
      try folder.write(try record(name))
      #expect(!sandbox.exists("\(name)/profile.csv"))
      try Goldens.expect(try sandbox.text("\(name)/samples.csv"), "folder-\(name)-samples.csv")
    }
  }

  @Test func perplexity() throws {
    let report = PerplexityReport(
      model: "weights/tiny", text: "text.txt", context: 256, stride: 128, wholeWindows: false, tokens: 1000,
      scoredTokens: 999, scoredBytes: 3210,
      results: [
        .init(
          variant: "naive", weights: "f32", threads: 1, natsPerToken: 3.25, perplexity: 25.79034,
          bitsPerByte: 1.459, seconds: 2.5, tokensPerSecond: 399.6),
        .init(
          variant: "packed", weights: "f32", threads: 2, natsPerToken: 3.25, perplexity: 25.79034,
          bitsPerByte: nil, seconds: 0.125, tokensPerSecond: 7992),
      ])
    for width in [60, 100] {
      try Goldens.expect(report.terminalText(colour: false, width: width), "perplexity-\(width).txt")
    }
    for format: PageFormat in [.markdown, .csv, .json] {
      try Goldens.expect(try report.text(as: format), "perplexity.\(format.rawValue)")
    }
  }

  /// A step with a layer of two operations on one thread, a part of one of them on another; names that formats must
  /// escape.
  @Test func traces() throws {
    let spans: [Timeline.Span] = [
      .init(start: 1_000, duration: 5_000_001, label: 0),
      .init(start: 1_002, duration: 4_000_000, label: 1),
      .init(start: 1_002, duration: 1_999, label: 2),
      .init(start: 3_001, duration: 7, label: 3), .init(start: 5_002_000, duration: 20, label: 0),
    ]
    let timeline = Timeline(
      title: "packed, \"synthetic:tiny\"",
      labels: [
        .init(name: "decode step", category: "stage"), .init(name: "layer 0", category: "layer"),
        .init(name: "mlp-up", category: "operation"), .init(name: "mlp;down\n", category: "operation"),
        .init(name: "part", category: "part"),
      ],
      tracks: [
        (name: "main", spans: spans),
        (name: "worker 1", spans: [Timeline.Span(start: 1_100, duration: 999, label: 4)]),
        (name: "worker 2", spans: []),
      ],
      counters: [
        (name: "decode", unit: "tok/s", samples: [(0, 20.5), (5_001_001, 1e-7)]),
        (name: "resident", unit: "", samples: [(17, 3)]),
      ])
    try Goldens.expect(try ChromeTrace(timeline).text, "trace.json")
    try Goldens.expect(try FoldedStacks(timeline).text, "trace.folded")
  }
}
