#if os(Linux)
  import Foundation
  import Record
  import Reporting
  import Testing

  /// Workers that die or hang, and runs that are ended.
  @Suite struct LostWorkerTests {
    private let sandbox: Sandbox

    init() throws {
      sandbox = try Sandbox()
      try sandbox.file("short.json", Suites.short)
      try sandbox.file("endless.json", Suites.endless)
    }

    /// Starts a run of three variants and waits until their workers are loaded and checked.
    private func start(_ suite: String, _ more: String...) throws -> (RunningCommand, [String: Int32]) {
      let running = try RunningCommand(
        [
          "all", "--model", "synthetic:tiny", "--suite", suite, "--variants", "naive,tiled,simd8", "--out",
          "o",
          "--reference", Sandbox.project + "/Benchmarks/reference/tiny-synthetic",
        ] + more, in: sandbox)
      let isUnderWay = poll { running.error.contains("checking: simd8\n") || !running.isRunning }
      try #require(isUnderWay && running.isRunning, Comment(rawValue: running.error))
      let workers = Processes.workers(of: running.id)
      try #require(Set(workers.keys) == ["naive", "tiled", "simd8"])
      return (running, workers)
    }

    private func record() throws -> Record { try Record.read(path: sandbox.path("o/record.json")) }

    private func expectOnlyNaiveLost(_ running: RunningCommand, _ status: Cell.Status, _ reason: String)
      throws
    {
      let result = try running.result(within: 40)
      #expect(result.status == 1)
      let record = try record()
      #expect(record.isComplete)
      let cells = Dictionary(grouping: record.cells, by: \.variant).compactMapValues(\.first)
      #expect(cells["naive"]?.status == status)
      #expect(cells["naive"]?.samples.isEmpty == true)
      #expect(cells["naive"]?.message?.contains(reason) == true)
      for name in ["tiled", "simd8"] {
        #expect(cells[name]?.status == .measured)
        #expect(cells[name]?.samples.isEmpty == false)
      }
      let rows = try CSVRows(sandbox.text("o/results.csv"))
      let lost = try #require(rows.first { $0["variant"] == "naive" })
      #expect(lost["status"] == status.rawValue)
      #expect(lost["prefill_tok_per_s"] == "")
      #expect(try sandbox.text("o/report.md").contains("naive"))
    }

    @Test func aWorkerThatDiesIsNamedAndTheOthersFinish() throws {
      let (running, workers) = try start("short.json")
      kill(try #require(workers["naive"]), SIGKILL)
      try expectOnlyNaiveLost(running, .died, "was ended by SIGKILL")
    }

    @Test func aWorkerThatHangsIsNamedAndTheOthersFinish() throws {
      let (running, workers) = try start("short.json", "--timeout", "2")
      kill(try #require(workers["naive"]), SIGSTOP)
      try expectOnlyNaiveLost(running, .hung, "no answer within 2")
      #expect(poll { workers.values.allSatisfy(Processes.isGone) })
    }

    @Test func workersEndWithTheirParent() throws {
      let (running, workers) = try start("endless.json")
      running.send(SIGKILL)
      #expect(poll(within: 10) { workers.values.allSatisfy(Processes.isGone) })
      #expect(try !record().isComplete)
    }

    @Test(arguments: [SIGINT, SIGTERM])
    func anInterruptedRunKeepsWhatItHas(_ signal: Int32) throws {
      let (running, workers) = try start("endless.json")
      // Twice at once, as `timeout` does it, is one wish.
      running.send(signal)
      running.send(signal)
      let result = try running.result(within: 20)
      #expect(result.status == 130)
      #expect(result.output.hasSuffix("reports: o\n"))
      #expect(try !record().isComplete)
      #expect(try sandbox.text("o/report.md").localizedCaseInsensitiveContains("incomplete"))
      #expect(poll { workers.values.allSatisfy(Processes.isGone) })
    }

    @Test func anInterruptionBeforeTheFirstSampleLeavesARecordToo() throws {
      let running = try RunningCommand(
        ["all", "--model", "synthetic:tiny", "--suite", "endless.json", "--variants", "naive", "--out", "o"],
        in: sandbox)
      #expect(poll { running.error.contains("measuring the machine's ceilings") })
      running.send(SIGINT)
      #expect(try running.result(within: 20).status == 130)
      #expect(try !record().isComplete)
    }
  }

  /// Other processes, as `/proc` shows them.
  enum Processes {
    /// The workers that a command has started, by what they run.
    static func workers(of parent: Int32) -> [String: Int32] {
      let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
      var found: [String: Int32] = [:]
      for id in names.compactMap({ Int32($0) }) where status(id)?.parent == parent {
        guard let line = FileManager.default.contents(atPath: "/proc/\(id)/cmdline") else { continue }
        let words = line.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        if words.count == 3, words[1] == "worker" { found[words[2]] = id }
      }
      return found
    }

    /// Whether it has ended; a zombie that nobody has asked for has.
    static func isGone(_ id: Int32) -> Bool { status(id).map { $0.state == "Z" } ?? true }

    /// `/proc/ID/stat` after the name, which may hold anything: state, then parent.
    private static func status(_ id: Int32) -> (state: String, parent: Int32)? {
      guard let data = FileManager.default.contents(atPath: "/proc/\(id)/stat") else { return nil }
      let fields =
        String(decoding: data, as: UTF8.self).split(separator: ")").last?.split(separator: " ") ?? []
      guard fields.count > 1, let parent = Int32(fields[1]) else { return nil }
      return (String(fields[0]), parent)
    }
  }
#endif
