import Foundation
import Record
import Reporting
import TestSupport
import Testing

/// `compare --against`: this build against itself, and against one that goes wrong.
struct CompareBuildsTests {
  private let sandbox: Sandbox

  init() throws { sandbox = try Sandbox() }

  private func arguments(against base: String, _ more: [String]) -> [String] {
    ["compare", "--against", base, "--model", sandbox.tinyModel, "-t", "1"]
      + (more.contains("--budget") ? [] : ["--budget", "0.1"])
      + (more.contains("--keep") ? [] : ["--keep", "o"])
      + more
  }

  private func compare(against base: String, _ more: String...) throws -> BuiltCommand.Result {
    try BuiltCommand.run(arguments(against: base, more), in: sandbox)
  }

  private func record() throws -> PairedRecord {
    try JSONDecoder().decode(PairedRecord.self, from: Data(sandbox.text("o/record.json").utf8))
  }

  private func json(_ text: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  /// Another build: a shell script that stands in for this one, which it finds as `$bench`.
  private func build(_ name: String, _ script: String) throws -> String {
    let path = try sandbox.file(
      "\(name).sh", "#!/bin/sh\nbench='\(BuiltCommand.executable())'\n\(script)\n")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    return path
  }

  /// A build whose answers go through a `sed` expression.
  private func build(_ name: String, sed: String) throws -> String {
    try build(
      name,
      """
      "$bench" "$@" | while IFS= read -r line; do
        printf '%s\\n' "$line" | sed -E '\(sed)'
      done
      """)
  }

  @Test func aBuildAgainstItselfHasNoRegression() throws {
    let result = try compare(
      against: BuiltCommand.executable(), "--variants", "kv-cache,packed", "--budget", "2", "--format",
      "json",
      "--seed", "7")
    #expect([0, 5].contains(result.status), Comment(rawValue: result.error))
    let shown = try json(result.output)
    #expect(shown["method"] as? String == "interleaved")
    #expect(shown["exitCode"] as? Int32 == result.status)
    #expect((shown["rows"] as? [Any])?.count == 10)
    #expect((shown["notes"] as? [String])?.contains { $0.hasPrefix("**Blocks.**") } == true)

    let record = try record()
    #expect(record.isComplete)
    expectEqual(record.settings.seed, 7)
    expectEqual(record.settings.budgetSeconds, 2)
    expectEqual(record.contestants.map(\.variant), ["kv-cache", "packed"])
    // Both builds, variant by variant, against each of three references.
    let sides: [PairedSide] = [.base, .head, .base, .head]
    expectEqual(record.correctness.map(\.side), sides.flatMap { [$0, $0, $0] })
    #expect(record.correctness.allSatisfy { $0.outcome.passed })
    #expect(record.lost.isEmpty)
    expectEqual(record.base.version, record.head.build?.version)
    try expectWholeBlocks(record)
    #expect(try sandbox.text("o/comparison.md").hasPrefix("# Comparison of two builds\n"))
    try expectEqual(CSVRows(sandbox.text("o/comparison.csv")).count, 10)
    let page = try BuiltCommand.run(["report", "o", "--format", "html"], in: sandbox)
    expectEqual(page.status, 0)
    try expectEqual(sandbox.text("o/comparison.html"), page.output)
    expectContains(result.error, "search, block 1: ")
    #expect(result.error.hasSuffix("report: o/comparison.html\n"))
  }

  /// Every block has each unit's rounds, mirrored, and a process of every side. Warm-ups have no sample.
  private func expectWholeBlocks(_ record: PairedRecord) throws {
    #expect(!record.blocks.isEmpty)
    var sequence = 0
    for block in record.blocks where block.stage == .search {
      expectEqual(block.processes.count, 6)
      #expect(block.processes.allSatisfy { $0.loadNanoseconds ?? 0 > 0 })
      for (unit, description) in record.units.enumerated() {
        let rounds = try #require(description.rounds)
        let own = block.samples.filter { $0.unit == unit }
        expectEqual(own.count, 6 * rounds)
        for round in 0..<rounds {
          let sides = own.filter { $0.sample.round == round }.map(\.side)
          expectEqual(Set(sides), Set(PairedSide.allCases))
          expectEqual(sides, sides.reversed())
        }
      }
      expectEqual(block.samples.map(\.sample.sequence), Array(sequence..<sequence + block.samples.count))
      sequence += block.samples.count
    }
  }

  @Test func rowsThatAreNotWantedAreNotMeasured() throws {
    let result = try compare(against: BuiltCommand.executable(), "--rows", "decode")
    #expect([0, 5].contains(result.status), Comment(rawValue: result.error))
    let record = try record()
    expectEqual(record.units.count, 2)
    let test = record.units[1].test
    #expect(record.blocks.flatMap(\.samples).allSatisfy { $0.unit == 1 }, "\(test.name) alone")
    let rows = try CSVRows(sandbox.text("o/comparison.csv"))
    expectEqual(rows.count, 1)
  }

  @Test func matrixProductsAreComparedToo() throws {
    let result = try compare(
      against: BuiltCommand.executable(), "--size", "1x64x64", "--variants", "naive", "--format", "csv",
      "--max-regression", "90%")
    #expect([0, 5].contains(result.status), Comment(rawValue: result.error))
    try expectEqual(result.output, sandbox.text("o/comparison.csv"))
    try expectNil(record().model)
    try expectEqual(record().units.map(\.test), [.operation(.matmul(m: 1, k: 64, n: 64))])
  }

  @Test func theFormatsOfServicesHoldTheHeadsFigures() throws {
    let bencher = try compare(
      against: BuiltCommand.executable(), "--variants", "kv-cache", "--format", "bmf", "--max-regression",
      "90%")
    #expect([0, 5].contains(bencher.status), Comment(rawValue: bencher.error))
    #expect(try !json(bencher.output).isEmpty)
    let action = try compare(
      against: BuiltCommand.executable(), "--variants", "kv-cache", "--format", "github-action", "--out",
      "f.json",
      "--max-regression", "90%")
    expectEqual(action.output, "")
    let entries =
      try JSONSerialization.jsonObject(with: Data(sandbox.text("f.json").utf8)) as? [[String: Any]]
    expectEqual(entries?.isEmpty, false)
    expectEqual(entries?.allSatisfy { $0["value"] is Double }, true)
  }

  @Test func theCommentOfAPullRequest() throws {
    let result = try compare(
      against: BuiltCommand.executable(), "--variants", "kv-cache", "--format", "github", "--out", "c.md",
      "--max-regression", "90%")
    #expect([0, 5].contains(result.status), Comment(rawValue: result.error))
    let lines = try sandbox.text("c.md").split(separator: "\n")
    expectEqual(lines.prefix(2), ["<!-- gpt2-bench compare -->", "### Performance of two builds"])
    #expect(result.output.hasPrefix("::notice title=Performance of two builds::"))
  }

  @Test func aBaseThatDiesLosesItsVariantAlone() throws {
    let base = try build(
      "dies", "case \"$*\" in *packed*) exit 3 ;; esac\nexec \"$bench\" \"$@\"")
    let result = try compare(against: base, "--variants", "kv-cache,packed", "--max-regression", "90%")
    #expect([0, 5].contains(result.status), Comment(rawValue: result.error))
    let lost = try record().lost
    expectEqual(lost.map(\.contestant), [1])
    expectEqual(lost.map(\.side), [.base])
    expectEqual(lost.first?.failedCheck, false)
    let rows = try CSVRows(sandbox.text("o/comparison.csv"))
    expectEqual(rows.count, 5)
    #expect(rows.allSatisfy { $0["variant"] == "kv-cache" })
    expectContains(result.output, "## On one side only\n\n- `packed` (1 thread) in base: ")
    #expect(!result.output.contains("Failed its correctness check"))
  }

  /// Behind its warm-ups, while it is timed.
  @Test func aBaseThatDiesLateTakesItsSamplesOfTheBlockWithIt() throws {
    let base = try build(
      "late",
      """
      case "$*" in *packed*) ;; *) exec "$bench" "$@" ;; esac
      runs=0
      while IFS= read -r line; do
        case "$line" in *'"operation":"run"'*) runs=$((runs + 1)) ;; esac
        if [ "$runs" -gt 5 ]; then exit 1; fi
        printf '%s\\n' "$line"
      done | "$bench" "$@"
      """)
    let result = try compare(
      against: base, "--variants", "kv-cache,packed", "--budget", "1", "--max-regression", "90%")
    #expect([0, 5].contains(result.status), Comment(rawValue: result.error))
    let record = try record()
    expectEqual(record.lost.map(\.contestant), [1])
    expectEqual(record.lost.map(\.side), [.base])
    #expect(record.units[2].rounds != nil, "it was warmed up")
    #expect(!record.blocks.isEmpty)
    for block in record.blocks {
      #expect(block.samples.allSatisfy { $0.unit < 2 } && !block.samples.isEmpty)
      expectEqual(block.processes.map(\.contestant), [0, 0, 0])
    }
  }

  /// A program that does not answer as a build does is refused at once, before anything is made.
  @Test(arguments: [
    ("exit 9", "exited with code 9 before it answered"),
    ("cat > /dev/null", "exited with code 0 before it answered"),
    ("sleep 600 & cat > /dev/null", "exited with code 0 before it answered"), ("yes", "malformed answer"),
    ("cat", "malformed answer"), ("echo '{}'; sleep 600", "malformed answer"),
  ])
  func aProgramThatIsNoBuildIsRefused(script: String, reason: String) throws {
    let id = "\(sandbox.folder)/id"
    let base = try build("none", "echo $$ > '\(id)'\n\(script)")
    let before = sandbox.contents
    let started = Date()
    let result = try compare(against: base, "--variants", "kv-cache")
    #expect(Date().timeIntervalSince(started) < 8)
    expectEqual(result.status, 1)
    expectEqual(result.output, "")
    expectEqual(result.errorLines.count, 1)
    #expect(
      result.error.hasPrefix(
        "gpt2-bench: compare: --against: found \(base), which is no gpt2-bench that runs here: "))
    expectContains(result.error, reason)
    expectEqual(sandbox.contents, before)
    // Neither it nor what it started.
    let group = try #require(Int32(String(contentsOfFile: id, encoding: .utf8).dropLast()))
    #if os(Linux)
      #expect(poll(within: 1) { !Processes.isAlive(group: group) })
    #endif
  }

  /// Whichever build is right, the head is not what the base was.
  @Test func otherTokensFailTheHead() throws {
    let base = try build("tokens", sed: "/tokenNanoseconds/s/\"ids\":\\[\\[[0-9]+/\"ids\":[[1/")
    let result = try compare(against: base, "--variants", "kv-cache", "--format", "json")
    expectEqual(result.status, 4, Comment(rawValue: result.error))
    let failures = try #require(json(result.output)["failures"] as? [String])
    expectEqual(failures.count, 1)
    #expect(failures[0].hasPrefix("`kv-cache` (1 thread) in head: "))
    expectContains(failures[0], "the timed tokens of ")
    let lost = try record().lost
    expectEqual(lost.map(\.side), [.head])
    expectEqual(lost.map(\.failedCheck), [true])
    #expect(try record().blocks.allSatisfy { $0.samples.isEmpty })
  }

  @Test func aBaseThatFailsItsCheckIsNotTimed() throws {
    let base = try build("wrong", sed: "s/\"comparison\":[{]/&\"failure\":\"all wrong\",/")
    let result = try compare(against: base, "--variants", "kv-cache")
    expectEqual(result.status, 5, Comment(rawValue: result.error))
    expectContains(
      result.output, "- `kv-cache` (1 thread) in base: failed its check: ragged: all wrong\n")
    let record = try record()
    expectEqual(record.lost.map(\.side), [.base])
    #expect(record.correctness.contains { $0.side == .base && !$0.outcome.passed })
    // The head is checked all the same.
    #expect(record.correctness.contains { $0.side == .head })
    #expect(record.correctness.allSatisfy { $0.side == .base || $0.outcome.passed })
    #expect(record.blocks.isEmpty)
  }

  /// Both builds compute something that the reference does not hold.
  @Test func aHeadThatFailsItsCheckIsNamedWhateverTheBaseDoes() throws {
    try sandbox.copy(Sandbox.project + "/Benchmarks/reference/tiny-synthetic", to: "r")
    let text = try sandbox.text("r/reference.json")
    let changed = text.replacingOccurrences(
      of: "\"model\": \"synthetic:tiny\"", with: "\"model\": \"\(sandbox.tinyModel)\"")
    try #require(changed != text)
    try sandbox.file("r/reference.json", changed)
    let result = try compare(
      against: BuiltCommand.executable(), "--variants", "kv-cache", "--reference", "r", "--format", "json")
    expectEqual(result.status, 4, Comment(rawValue: result.error))
    let lost = try record().lost
    expectEqual(lost.map(\.side), [.base, .head])
    #expect(lost.allSatisfy { $0.failedCheck })
    #expect((try json(result.output)["failures"] as? [String])?.count == 1)
    #expect(try record().blocks.isEmpty)
  }

  @Test func wrongUseIsRefusedBeforeAnythingIsMeasured() throws {
    let bench = try BuiltCommand.executable()
    try sandbox.file("text", "no program")
    _ = try sandbox.folder("folder")
    let before = sandbox.contents
    let calls: [([String], String)] = [
      (["--against", "nowhere"], "--against: found 'nowhere', expected another build's gpt2-bench"),
      (["--against", "folder"], "there is a folder"),
      (["--against", "text"], "there is a file that cannot be executed"),
      (["--against", bench, "a.json", "b.json"], "--against: found records too"),
      (["--against", bench, "--rows", "nothing", "--model", sandbox.tinyModel], "--rows: found 'nothing'"),
      (["--against", bench, "--rows", ",", "--model", sandbox.tinyModel], "--rows: found ','"),
      (["--against", bench, "--max-regression", "speed=5%"], "--max-regression: found 'speed'"),
      (["--against", bench, "--budget", "0"], "--budget: found '0'"),
      (["--against", bench, "--keep", "", "--model", sandbox.tinyModel], "--keep: found ''"),
      (["--against", bench, "--suite", "none", "--model", sandbox.tinyModel], "--suite: found 'none'"),
      (["--against", bench, "--variants", "fast"], "'fast'"),
      (["--against", bench, "--format", "xml"], "--format: found 'xml'"),
      ([], "found no operand, expected two records"), (["a.json"], "found 1 operand, expected two records"),
      (["a.json", "b.json", "--budget", "3"], "--budget: found two records, expected --against with it"),
      (["a.json", "b.json", "--keep", "o"], "--keep: found two records, expected --against with it"),
      (["a.json", "b.json", "-t", "1"], "-t: found two records, expected --against with it"),
    ]
    for (arguments, expected) in calls {
      let result = try BuiltCommand.run(["compare"] + arguments, in: sandbox)
      let call = Comment(rawValue: "\(arguments.joined(separator: " ")): \(result.error)")
      expectEqual(result.status, 2, call)
      expectEqual(result.output, "", call)
      expectEqual(result.errorLines.count, 1, call)
      expectContains(result.error, expected, comment: call)
    }
    expectEqual(sandbox.contents, before)
  }

  @Test func anInterruptedComparisonKeepsItsBlocks() throws {
    let running = try RunningCommand(
      arguments(against: BuiltCommand.executable(), ["--variants", "kv-cache", "--budget", "600"]),
      in: sandbox)
    #expect(poll { running.error.contains("search, block 3: ") || !running.isRunning })
    running.send(SIGINT)
    let result = try running.result(within: 20)
    expectEqual(result.status, 130)
    let record = try record()
    #expect(!record.isComplete)
    #expect(record.blocks.count >= 2)
    try expectBlocksOfOneContestant(record)
    expectContains(
      result.output,
      "The comparison is incomplete: it was interrupted. Reason: ended by Ctrl-C (SIGINT).")
    try expectEqual(sandbox.text("o/comparison.md"), result.output)
  }

  private func expectBlocksOfOneContestant(_ record: PairedRecord) throws {
    for block in record.blocks {
      expectEqual(block.processes.count, 3)
      for (unit, description) in record.units.enumerated() {
        let samples = block.samples.count { $0.unit == unit }
        expectEqual(samples, 6 * (description.rounds ?? 0))
      }
    }
  }
}
