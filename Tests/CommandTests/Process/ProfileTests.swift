import Foundation
import GPT2Kernels
import Record
import Reporting
import TestSupport
import Testing

/// `profile` from the command line to its files.
struct ProfileTests {
  private let sandbox: Sandbox

  init() throws { sandbox = try Sandbox() }

  private func profile(_ arguments: String...) throws -> BuiltCommand.Result {
    try BuiltCommand.run(
      ["profile", "--model", "synthetic:tiny", "--budget", "0.2"] + arguments, in: sandbox)
  }

  /// Every variant of a run explains its pass: each phase once a layer, with time, and nearly all of the time.
  @Test func everyVariantOfARunExplainsItsPass() throws {
    let result = try BuiltCommand.run(
      // Of two threads one may take all heads of a layer, and the profile is the other's.
      ["run", "--model", "synthetic:tiny", "-p", "9", "-n", "3", "-r", "1", "-t", "1", "--out", "o"],
      in: sandbox)
    expectEqual(result.status, 0, Comment(rawValue: result.error))
    let record = try Record.read(path: sandbox.path("o/record.json"))
    let layers = try #require(record.model?.layers)
    let profiles = try #require(record.profiles)
    for variant in Variant.all {
      let own = profiles.filter { $0.variant == variant.name }
      expectEqual(own.map(\.stage), [.prefill, .decode])
      for profile in own { expectWhole(profile, layers: layers) }
      // What recomputes does for a token what it does for the prompt; what caches does not.
      let flops = own.map { $0.entries.reduce(0) { $0 + $1.flops } / Double($0.keptPasses) }
      #expect(variant.decoding == .cache ? flops[1] < 0.3 * flops[0] : flops[1] > flops[0])
    }
  }

  private func expectWhole(_ profile: Profile, layers: Int) {
    expectEqual(profile.tokens, 9)
    let named = profile.entries.filter { $0.phase != .other }
    let time = named.reduce(0) { $0 + $1.nanoseconds + $1.waitNanoseconds }
    #expect(time > 0.5 * profile.wallNanoseconds && time <= profile.wallNanoseconds * 1.001)
    let once: [ProfilePhase] = [
      .qkv, .cacheStore, .attentionScores, .attentionSoftmax, .attentionValues, .projection, .up, .gelu,
      .down,
    ]
    for phase in once {
      let entries = named.filter { $0.phase == phase }
      expectEqual(entries.compactMap(\.layer), Array(0..<layers), "\(phase)")
      #expect(entries.allSatisfy { $0.calls == profile.keptPasses && $0.nanoseconds > 0 }, "\(phase)")
    }
    for phase in [ProfilePhase.projectionResidual, .mlpResidual] {
      let additions = named.filter { $0.phase == phase }
      #expect(additions.allSatisfy { $0.calls == profile.keptPasses })
      let fuses = ["packed", "bf16", "int8", "int4"].contains(profile.variant)
      #expect(additions.compactMap(\.layer) == (fuses ? [] : Array(0..<layers)))
    }
    for phase in [ProfilePhase.embedding, .logits, .sampling] {
      expectEqual(named.filter { $0.phase == phase }.map(\.calls), [profile.keptPasses])
    }
  }

  /// Each pass once with probes and once without.
  @Test func theCostOfTheProbesIsMeasured() throws {
    let result = try profile("-p", "9", "-n", "4", "-t", "2", "--format", "json", "--out", "p.json")
    expectEqual(result.status, 0, Comment(rawValue: result.error))
    let record = try Record.read(path: sandbox.path("p.json"))
    for profile in try #require(record.profiles) {
      expectEqual(profile.overhead?.withNanoseconds.count, profile.passNanoseconds.count)
      expectEqual(profile.overhead?.withoutNanoseconds.count, profile.passNanoseconds.count)
    }
  }

  @Test func aTreeForPeopleAndTracesForTheirTools() throws {
    let result = try profile("-p", "8", "-n", "5", "-t", "2", "--trace", "t.json", "--folded", "t.folded")
    expectEqual(result.status, 0, Comment(rawValue: result.error))
    #expect(result.output.contains("pool wait") && result.output.contains("softmax"))
    #expect(result.output.split(separator: "\n").allSatisfy { $0.count <= 100 })
    let data = try Data(contentsOf: URL(fileURLWithPath: sandbox.path("t.json")))
    let trace = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    let events = try #require(trace["traceEvents"] as? [[String: Any]])
    let names = events.filter { $0["ph"] as? String == "B" }.compactMap { $0["name"] as? String }
    expectEqual(names.count { $0 == "prefill" }, 1)
    expectEqual(names.count { $0 == "decode" }, 4)
    #expect(names.contains("attention") && names.contains("layer 0"))
    let folded = try String(contentsOfFile: sandbox.path("t.folded"), encoding: .utf8)
    expectContains(folded, "driving_thread;decode;layer_0;QKV ")
  }

  @Test(arguments: [
    (["-p", "0"], "-p"), (["-p", "99999"], "-p: found"), (["-n", "0"], "-n"), (["-n", "99999"], "-n: found"),
    (["--variant", "fast"], "--variant"), (["--budget", "0"], "--budget"), (["--format", "pdf"], "--format"),
  ]) func wrongOptionsAreNamed(arguments: [String], name: String) throws {
    let result = try BuiltCommand.run(["profile", "--model", "synthetic:tiny"] + arguments, in: sandbox)
    expectEqual(result.status, 2)
    expectContains(result.error, name)
  }

  @Test func aPathThatCannotBeWrittenCostsNoMeasuring() throws {
    for option in ["--trace", "--folded", "--out"] {
      let result = try profile(option, "no/such/folder/file")
      expectEqual(result.status, 1)
      expectContains(result.error, "no/such/folder")
    }
  }

  @Test func aPipeIsNotReplacedByAFile() throws {
    let pipe = sandbox.path("pipe")
    try #require(mkfifo(pipe, 0o600) == 0)
    for option in ["--trace", "--folded", "--out"] {
      let result = try profile(option, pipe)
      expectEqual(result.status, 1)
      expectContains(result.error, "\(option): found \(pipe), a device or a pipe, expected a file's path")
    }
    var status = stat()
    expectEqual(stat(pipe, &status), 0)
    expectEqual(status.st_mode & S_IFMT, S_IFIFO)
  }
}
