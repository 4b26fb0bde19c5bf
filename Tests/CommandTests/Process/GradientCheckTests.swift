import Foundation
import GPT2Kernels
import Record
import TestSupport
import Testing

/// `check` holds the gradients of what trains to their references, as `run --train` does before it times a step.
struct GradientCheckTests {
  private let sandbox: Sandbox
  private static let gradients = Sandbox.project + "/Benchmarks/reference/gradients"

  init() throws { sandbox = try Sandbox() }

  private func run(_ arguments: String...) throws -> BuiltCommand.Result {
    try BuiltCommand.run(arguments, in: sandbox)
  }

  /// A folder with the reference of the ragged model, whose last gradient has another element where that is wanted.
  private func reference(in folder: String, isWrong: Bool) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    for name in ["ragged.json", "ragged.npy", "ragged-steps.npy"] {
      var data = try Data(contentsOf: URL(fileURLWithPath: "\(Self.gradients)/\(name)"))
      if isWrong, name == "ragged.npy" {
        withUnsafeBytes(of: Float(1).bitPattern.littleEndian) { bytes in
          data.replaceSubrange(data.count - 4..<data.count, with: bytes)
        }
      }
      try data.write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
    }
  }

  private func rows(_ result: BuiltCommand.Result) -> [Substring] {
    Array(result.output.split(separator: "\n").dropFirst())
  }

  @Test func whateverTrainsHasARowForEachReference() throws {
    try reference(in: sandbox.path("g"), isWrong: false)
    let result = try run("check", "--reference", "g", "--variants", "naive,packed,int8", "-t", "1")
    expectEqual(result.status, 0, Comment(rawValue: result.error))
    let rows = rows(result)
    expectEqual(rows.count, 2)
    for (row, variant) in zip(rows, ["naive", "packed"]) {
      #expect(row.hasPrefix("\(variant) ") && row.contains(" gradients of ragged ") && row.hasSuffix(" pass"))
    }
    // The rows of a model are beside those of its logits.
    let model = try run("check", "--model", "synthetic:tiny", "--variants", "packed", "-t", "1")
    expectEqual(model.status, 0, Comment(rawValue: model.error))
    expectEqual(self.rows(model).map { $0.contains(" gradients of tiny-synthetic ") }, [false, true])
  }

  @Test func aWrongGradientFailsTheVariant() throws {
    // Below the folder that is named, where the project has its own.
    try reference(in: sandbox.path("r/gradients"), isWrong: true)
    let arguments = ["check", "--reference", "r", "--variants", "simd8,packed,bf16", "-t", "1"]
    let result = try BuiltCommand.run(arguments, in: sandbox)
    expectEqual(result.status, 4, Comment(rawValue: result.error))
    let rows = rows(result)
    expectEqual(rows.count, 2)
    #expect(rows.allSatisfy { $0.contains("FAIL: ragged: the gradient of ln_f.bias is off by ") })
    let csv = try CSVRows(BuiltCommand.run(arguments + ["--format", "csv"], in: sandbox).output)
    expectEqual(csv.map { $0["variant"] }, ["simd8", "packed"])
    #expect(csv.allSatisfy { $0["reference"] == "gradients of ragged" && $0["check"] != "pass" })
    let json = try BuiltCommand.run(arguments + ["--format", "json"], in: sandbox)
    #expect(json.status == 4 && json.output.contains("\"gradients of ragged\""))
  }

  @Test func whatIsNoReferenceOrHasNobodyIsRefused() throws {
    try reference(in: sandbox.path("g"), isWrong: false)
    let nobody = try run("check", "--reference", "g", "--variants", "int8,bf16")
    expectEqual(nobody.status, 2)
    expectContains(
      nobody.error, "--variants: found 'bf16,int8', expected one with float32 weights",
      comment:
        Comment(rawValue: nobody.error))
    try sandbox.file("g/ragged.json", "{\"gradients\": 1}")
    let malformed = try run("check", "--reference", "g", "--variants", "packed")
    expectEqual(malformed.status, 1)
    expectEqual(malformed.errorLines.count, 1)
    expectContains(malformed.error, "g/ragged.json", comment: Comment(rawValue: malformed.error))
  }

  /// A pipe with a reference's name would have to wait for its writer.
  @Test func aPipeBesideReferencesIsPassedOver() throws {
    try reference(in: sandbox.path("g"), isWrong: false)
    expectEqual(mkfifo(sandbox.path("g/pipe.json"), 0o600), 0)
    let result = try run("check", "--reference", "g", "--variants", "packed", "-t", "1")
    expectEqual(result.status, 0, Comment(rawValue: result.error))
    expectEqual(rows(result).count, 1)
  }

  /// What a run names as the next command shows the failure again.
  @Test func theCommandAfterAFailedRunReproducesIt() throws {
    let references = "\(sandbox.home)/Benchmarks/reference"
    try FileManager.default.removeItem(atPath: references)
    try reference(in: "\(references)/gradients", isWrong: true)
    try FileManager.default.copyItem(
      atPath: Sandbox.project + "/Benchmarks/reference/tiny-synthetic", toPath: "\(references)/tiny-synthetic"
    )
    let failed = try run(
      "run", "--model", "synthetic:tiny", "--train", "2x8", "--variants", "packed", "-t", "1", "-r", "3",
      "--out", "o")
    expectEqual(failed.status, 4, Comment(rawValue: failed.error))
    let words = BuiltCommand.joined(failed.output).split(separator: "\n").last?.split(separator: " ") ?? []
    let program = try BuiltCommand.executable()
    expectEqual(
      words.map(String.init),
      [
        "next:", program, "check", "--variants", "packed", "--reference", "\(references)/gradients",
      ])
    let again = try BuiltCommand.run(words.dropFirst(2).map(String.init) + ["-t", "1"], in: sandbox)
    expectEqual(again.status, 4)
    expectContains(again.output, "FAIL: ragged: the gradient of ln_f.bias is off by ")
    let record = try Record.read(path: sandbox.path("o/record.json"))
    let ofGradients = record.correctness.filter { $0.subject == .gradients }
    expectEqual(ofGradients.map(\.reference), ["gradients of ragged"])
    #expect(record.correctness.contains { $0.subject == nil })
  }

  /// A case of logits may have any name; its next command is for the run's model.
  @Test func aNameMakesNoGradients() throws {
    try sandbox.copy(Sandbox.project + "/Benchmarks/reference/tiny-synthetic", to: "r")
    let text = try sandbox.text("r/reference.json")
    let named = text.replacing("\"case\": \"tiny-synthetic\"", with: "\"case\": \"gradients of mine\"")
    let wrong = named.replacing("\"argmax\": [274],", with: "\"argmax\": [275],")
    #expect(named != text && wrong != named)
    try sandbox.file("r/reference.json", wrong)
    let failed = try run(
      "run", "--model", "synthetic:tiny", "-p", "8", "--variants", "packed", "-t", "1", "-r", "3",
      "--reference", "r", "--out", "o")
    expectEqual(failed.status, 4, Comment(rawValue: failed.error))
    let next = BuiltCommand.joined(failed.output).split(separator: "\n").last ?? ""
    #expect(next.hasSuffix(" check --variants packed --model synthetic:tiny"))
    let record = try Record.read(path: sandbox.path("o/record.json"))
    expectEqual(record.correctness.map(\.reference), ["gradients of mine"])
    #expect(record.correctness.allSatisfy { $0.subject == nil })
  }
}
