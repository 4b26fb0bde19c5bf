#if os(Linux)
  import Foundation
  import Record
  import Reporting
  import TestSupport
  import Testing

  /// Workers that die or hang, and runs that are ended.
  struct LostWorkerTests {
    private let sandbox: Sandbox

    init() throws {
      sandbox = try Sandbox()
      try sandbox.file("short.json", Suites.short)
      try sandbox.file("endless.json", Suites.endless)
    }

    /// Starts a run of three variants and waits until their workers are loaded and checked.
    ///
    /// - Parameter progress: whether they are known by what it shows; else by the record's checks.
    private func start(
      _ suite: String, progress: Bool = true, _ more: String...
    ) throws -> (RunningCommand, [String: Int32]) {
      let running = try RunningCommand(
        [
          "all", "--model", "synthetic:tiny", "--suite", suite, "--variants", "naive,tiled,simd8", "--out",
          "o",
          "--reference", Sandbox.project + "/Benchmarks/reference/tiny-synthetic",
        ] + more, in: sandbox, environment: ["TMPDIR": sandbox.folder("tmp")])
      let isUnderWay = poll {
        !running.isRunning
          || (progress
            ? running.error.contains("checking: simd8\n") : (try? record())?.correctness.count == 3)
      }
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
      expectEqual(result.status, 1)
      let record = try record()
      #expect(record.isComplete)
      let cells = Dictionary(grouping: record.cells, by: \.variant).compactMapValues(\.first)
      expectEqual(cells["naive"]?.status, status)
      expectEqual(cells["naive"]?.samples.isEmpty, true)
      expectEqual(cells["naive"]?.message?.contains(reason), true)
      for name in ["tiled", "simd8"] {
        expectEqual(cells[name]?.status, .measured)
        expectEqual(cells[name]?.samples.isEmpty, false)
      }
      let rows = try CSVRows(sandbox.text("o/results.csv"))
      let lost = try #require(rows.first { $0["variant"] == "naive" })
      expectEqual(lost["status"], status.rawValue)
      expectEqual(lost["prefill_tok_per_s"], "")
      try expectContains(sandbox.text("o/report.md"), "naive")
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
      #expect(poll(within: 1) { workers.values.allSatisfy(Processes.isGone) })
      #expect(try !record().isComplete)
    }

    @Test(arguments: [
      (SIGINT, "ended by Ctrl-C"), (SIGTERM, "ended by SIGTERM"), (SIGHUP, "ended by SIGHUP"),
    ])
    func anInterruptedRunKeepsWhatItHas(_ signal: Int32, _ reason: String) throws {
      let (running, workers) = try start("endless.json")
      // Twice at once, as `timeout` does it, is one wish.
      running.send(signal)
      running.send(signal)
      let result = try running.result(within: 20)
      expectEqual(result.status, 128 + signal)
      let program = try BuiltCommand.executable()
      #expect(
        BuiltCommand.joined(result.output).hasSuffix(
          "report: o/report.html\nnext: \(program) run --resume o\n"))
      #expect(try !record().isComplete)
      try expectEqual(record().stopped?.hasPrefix(reason), true)
      try expectContains(sandbox.text("o/report.md"), reason)
      #expect(try sandbox.text("o/report.md").localizedCaseInsensitiveContains("incomplete"))
      #expect(poll { workers.values.allSatisfy(Processes.isGone) })
    }

    /// With `--quiet`, which hides no loss.
    @Test func aWorkerLostBeforeItsProfileIsNamed() throws {
      let (running, workers) = try start("short.json", progress: false, "--quiet")
      #expect(poll { (try? record().cells.allSatisfy { $0.status == .measured }) == true })
      kill(try #require(workers["simd8"]), SIGKILL)
      let result = try running.result(within: 40)
      expectEqual(result.status, 1)
      #expect(result.errorLines.count == 1 && result.error.hasPrefix("no profile of simd8: "))
      let kept = try record()
      #expect(kept.isComplete)
      expectEqual(Set(kept.profiles?.map(\.variant) ?? []), ["naive", "tiled"])
      expectEqual(kept.missing?.count, 1)
      try expectContains(sandbox.text("o/report.md"), "**Warning:** no profile of simd8: ")
      #expect(kept.cells.allSatisfy { $0.status == .measured && !$0.samples.isEmpty })
    }

    /// What was measured goes to a folder among the temporary ones, and the error names it.
    @Test func aFolderThatIsRemovedLosesNothing() throws {
      let (running, _) = try start("short.json", progress: false)
      // The last file of those that it writes before the first cell has ended.
      #expect(poll { (try? sandbox.text("o/report.html"))?.contains("3 of 3 variants passed") == true })
      // Moved, it is gone at once; while a folder is emptied file by file, the run may write into it.
      try FileManager.default.moveItem(atPath: sandbox.path("o"), toPath: sandbox.path("removed"))
      let result = try running.result(within: 40)
      expectEqual(result.status, 1)
      let error = try #require(result.errorLines.last)
      #expect(error.hasPrefix("gpt2-bench: all: "))
      expectContains(
        error, "o/record.json: cannot be written: no such file or directory; the record is in /")
      let record = try Record.read(path: String(error[try #require(error.range(of: "is in ")).upperBound...]))
      #expect(!record.isComplete)
      expectEqual(
        record.stopped?.hasSuffix("o/record.json: cannot be written: no such file or directory"), true)
      #expect(record.cells.contains { $0.status == .measured && !$0.samples.isEmpty })
    }

    @Test func aFolderIsOneRunsAtATime() throws {
      let (running, workers) = try start("endless.json")
      let measured = try #require(workers["naive"])
      let second = try BuiltCommand.run(
        ["run", "-p", "4", "--model", "synthetic:tiny", "--variants", "naive", "-r", "1", "--out", "o"],
        in: sandbox)
      expectEqual(second.status, 1)
      expectEqual(
        second.error,
        "gpt2-bench: run: o: another run is writing there, expected a folder that can be written\n")
      // A second of work is samples by the hundred; the record tells of them only at its end.
      let before = Processes.ticks(measured)
      #expect(poll { Processes.ticks(measured) >= before + sysconf(Int32(_SC_CLK_TCK)) })
      running.send(SIGINT)
      try expectEqual(running.result(within: 20).status, 130)
      try expectEqual(record().cells.count, 3)
      #expect(try record().cells.contains { !$0.samples.isEmpty })
    }

    @Test func anInterruptionBeforeTheFirstSampleLeavesARecordToo() throws {
      let running = try RunningCommand(
        ["all", "--model", "synthetic:tiny", "--suite", "endless.json", "--variants", "naive", "--out", "o"],
        in: sandbox)
      #expect(poll { running.error.contains("measuring the machine's ceilings") })
      running.send(SIGINT)
      try expectEqual(running.result(within: 20).status, 130)
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

    /// Whether a process of the group lives on.
    static func isAlive(group: Int32) -> Bool {
      let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
      return names.compactMap { Int32($0) }.contains { getpgid($0) == group && !isGone($0) }
    }

    /// Whether it has ended; a zombie that nobody has asked for has.
    static func isGone(_ id: Int32) -> Bool { status(id).map { $0.state == "Z" } ?? true }

    /// CPU time that it has used, in the system's ticks.
    static func ticks(_ id: Int32) -> Int { status(id)?.ticks ?? 0 }

    /// `/proc/ID/stat` after the name, which may hold anything: state, then parent; the 12th and the 13th are the times
    /// outside the kernel and in it.
    private static func status(_ id: Int32) -> (state: String, parent: Int32, ticks: Int)? {
      guard let data = FileManager.default.contents(atPath: "/proc/\(id)/stat") else { return nil }
      let fields =
        String(decoding: data, as: UTF8.self).split(separator: ")").last?.split(separator: " ") ?? []
      guard fields.count > 12, let parent = Int32(fields[1]), let user = Int(fields[11]),
        let system = Int(fields[12])
      else { return nil }
      return (String(fields[0]), parent, user + system)
    }
  }
#endif
