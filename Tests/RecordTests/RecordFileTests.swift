import Foundation
import TestSupport
import Testing

@testable import Record

struct RecordFileTests {
  private let path = "reports/x/record.json"

  @Test func encodingAndReadingGiveTheSameRecordAndTheSameBytes() throws {
    var record = Fixture.small()
    record.cells.append(Fixture.gemmCell("naive", m: 3, milliseconds: [0.1, 0.2]))
    record.cells.append(Fixture.emptyCell("gone", .failedCheck, message: "a \"quoted\"\nreason"))
    record.correctness.append(Fixture.failedCheck("gone"))
    record.settings.seed = .max
    record.conditions = Fixture.quietConditions()
    record.conditions?.coreToCore = [CoreToCoreSample(atSeconds: 1, nanoseconds: 26.5)]
    record.findings = [Finding(severity: .note, check: "load by others", text: "0.2 cores")]
    record.countersUnavailable = "none here"
    record.cells[0].samples[0].counters = ["instructions": 12]
    record.cells[0].samples[0].countersShare = 0.5
    let data = try record.encode()
    let back = try Record.decode(data, path: path)
    expectEqual(back, record)
    try expectEqual(back.encode(), data)
    expectEqual(data.last, UInt8(ascii: "\n"))
  }

  @Test func aRecordIsReadFromItsFile() throws {
    try withTemporaryFolder { folder in
      let file = "\(folder)/record.json"
      try Fixture.small().encode().write(to: URL(fileURLWithPath: file))
      try expectEqual(Record.read(path: file), Fixture.small())
      try expectEqual(Record.read(path: folder), Fixture.small())
      let empty = "\(folder)/empty"
      try FileManager.default.createDirectory(atPath: empty, withIntermediateDirectories: false)
      expectEqual(message { try Record.read(path: empty) }?.contains("\(empty): is a folder, expected"), true)
      expectEqual(
        message { try Record.read(path: "\(folder)/none") },
        "\(folder)/none: no such file, expected a record.json of gpt2-bench")
    }
  }

  @Test(arguments: [
    ("", "not JSON (the file is empty), expected a record.json of gpt2-bench"),
    ("variant,threads", "not JSON (truncated or malformed), expected a record.json of gpt2-bench"),
    ("[1, 2]", "found an array of 2, expected an object"),
    ("\"text\"", "found \"text\", expected an object"),
    ("{}", "schema: missing, expected 1"),
    ("{\"schema\": 2}", "schema: found 2, expected 1"),
    ("{\"schema\": \"1\"}", "schema: found \"1\", expected 1"),
    ("{\"schema\": 1}", "expected"),
  ])
  func whatIsNoRecordIsNamed(text: String, expected: String) throws {
    let found = try #require(message { try Record.decode(Data(text.utf8), path: path) })
    #expect(found.hasPrefix("reports/x/record.json: "))
    #expect(found.hasSuffix(expected) || (expected == "expected" && found.contains("missing, expected a")))
    #expect(!found.contains("\n"))
  }

  /// Whatever else is wrong with it.
  @Test(arguments: [
    ("{\"schema\": 2, \"kind\": \"later\"}", "schema: found 2, expected 1"),
    ("{\"schema\": 1, \"kind\": 5}", "kind: found 5, expected a string"),
    (
      "{\"schema\": 1, \"kind\": \"builds\"}",
      "kind: found \"builds\", expected one of \"end-to-end\", \"gemm\", \"ops\""
    ),
  ])
  func schemaAndKindComeFirst(text: String, expected: String) {
    expectEqual(message { try Record.decode(Data(text.utf8), path: path) }, "\(path): \(expected)")
  }

  @Test func aFileSaysWhichKindItIs() throws {
    try withTemporaryFolder { folder in
      let file = "\(folder)/record.json"
      try Fixture.small().encode().write(to: URL(fileURLWithPath: file))
      try expectEqual(RecordFile.read(path: file), .run(Fixture.small()))
      expectEqual(
        message { try PairedRecord.read(path: file) },
        "\(file): kind: found \"end-to-end\", expected \"builds\"")
      try Data("{\"schema\": 1, \"kind\": \"builds\"}".utf8).write(to: URL(fileURLWithPath: file))
      expectEqual(
        message { try RecordFile.read(path: file) }?.hasSuffix(": missing, expected an array"), true)
    }
  }

  /// Records have a word of its own for a matrix product, and had it before it was an operation.
  @Test func aMatrixProductIsWrittenAsEver() throws {
    let json = "{\"gemm\":{\"k\":3,\"m\":2,\"n\":4}}"
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let test = CellTest.operation(.matmul(m: 2, k: 3, n: 4))
    expectEqual(String(decoding: try encoder.encode(test), as: UTF8.self), json)
    try expectEqual(JSONDecoder().decode(CellTest.self, from: Data(json.utf8)), test)
    let shape = "{\"operation\":{\"shape\":{\"gelu\":{\"channels\":3,\"rows\":2}}}}"
    let gelu = CellTest.operation(.gelu(rows: 2, channels: 3))
    expectEqual(String(decoding: try encoder.encode(gelu), as: UTF8.self), shape)
    try expectEqual(JSONDecoder().decode(CellTest.self, from: Data(shape.utf8)), gelu)
    let other = "{\"operation\":{\"shape\":{\"matmul\":{\"k\":3,\"m\":2,\"n\":4}}}}"
    #expect(throws: DecodingError.self) { try JSONDecoder().decode(CellTest.self, from: Data(other.utf8)) }
  }

  /// In a message the sizes have the same ranges as in a record.
  @Test func anOperationsSizesHaveRanges() throws {
    for shape: OperationShape in [
      .matmul(m: 1, k: 1, n: .init(Int32.max)), .attention(rows: 1, heads: 1, headSize: 1, depth: 0),
      .sampling(vocabulary: 1, choice: .topK),
    ] {
      try shape.check(source: "x")
    }
    expectEqual(
      message { try OperationShape.matmul(m: 1, k: 0, n: 2).check(source: "x") },
      "x: gemm.k: found 0, expected an integer in 1...2147483647")
    expectEqual(
      message { try OperationShape.softmax(rows: 1, heads: 1, depth: -1).check(source: "x") },
      "x: operation.softmax.depth: found -1, expected an integer in 0...2147483647")
    expectEqual(
      message { try OperationShape.sampling(vocabulary: .max, choice: .greedy).check(source: "x") },
      "x: operation.sampling.vocabulary: found \(Int.max), expected an integer in 1...2147483647")
  }

  @Test func everyTruncationIsRefusedInOneLine() throws {
    let data = try Fixture.small().encode()
    for length in stride(from: 0, to: data.count - 2, by: 97) {
      let found = message { try Record.decode(data.prefix(length), path: path) }
      expectEqual(found?.hasPrefix("reports/x/record.json: not JSON ("), true, "\(length) bytes")
    }
  }

  @Test func nestingWithoutEndIsRefused() {
    let found = message {
      try Record.decode(Data(String(repeating: "[", count: 200_000).utf8), path: path)
    }
    expectEqual(found?.contains("not JSON"), true)
  }

  /// A field of the small record, replaced by something wrong; nil removes it.
  @Test(
    arguments: [
      (["cells", 3, "threads"], nil, "cells[3].threads: missing, expected an integer"),
      (["cells", 3, "threads"], "\"two\"", "cells[3].threads: found \"two\", expected an integer"),
      (["cells", 3, "threads"], "1.5", "cells[3].threads: found 1.5, expected an integer"),
      (["settings", "seed"], "-1", "settings.seed: found -1, expected an integer"),
      (["model", "layers"], "1e300", "model.layers: found 1e+300, expected an integer"),
      (["cells", 3, "threads"], "null", "cells[3].threads: found null, expected an integer"),
      (["cells", 0, "threads"], "0", "cells[0].threads: found 0, expected an integer in 1...2147483647"),
      (
        ["cells", 0, "status"], "\"done\"",
        "cells[0].status: found \"done\", expected one of \"pending\", \"measured\", \"failed-check\", \"died\", \"hung\", \"rejected\", \"skipped\""
      ),
      (["cells", 0, "status"], nil, "cells[0].status: missing, expected a string"),
      (
        ["cells", 0, "test"], "{}",
        "cells[0].test: found an object, expected an object with one of \"prefill\", \"decode\", \"training\", \"gemm\", \"operation\""
      ),
      (
        ["cells", 1, "test", "decode", "depth"], "9223372036854775807",
        "cells[1].test.decode.depth: found 9223372036854775807, expected an integer in 0...2147483647"
      ),
      (
        ["cells", 1, "test", "decode", "depth"], nil,
        "cells[1].test.decode.depth: missing, expected an integer"
      ),
      (["cells"], "{}", "cells: found an object, expected an array"),
      (["correctness", 0, "kl"], "-1", "correctness[0].kl: found -1.0, expected a number of at least 0"),
      (
        ["correctness", 0, "deltaPerplexity"], "-1.5",
        "correctness[0].deltaPerplexity: found -1.5, expected a number above -1"
      ),
      (["machine"], nil, "machine: missing, expected an object"),
      (["machine", "flags"], "[1]", "machine.flags[0]: found 1, expected a string"),
      (["isComplete"], "1", "isComplete: found 1, expected true or false"),
      (["kind"], "\"speed\"", "kind: found \"speed\", expected one of \"end-to-end\", \"gemm\", \"ops\""),
      (
        ["settings", "cellBudgetSeconds"], "[]",
        "settings.cellBudgetSeconds: found an array of 0, expected a number"
      ),
      (
        ["cells", 1, "samples", 0, "elapsedNanoseconds"], "-5",
        "cells[1].samples[0].elapsedNanoseconds: found -5.0, expected a number above 0"
      ),
      (
        ["cells", 1, "samples", 0, "tokenNanoseconds"], "[9, 8]",
        "cells[1].samples[0].tokenNanoseconds[1]: found 8, expected an integer of at least 9"
      ),
      (
        ["ceilings", 0, "fmaGFLOPS"], "0", "ceilings[0].fmaGFLOPS: found 0.0, expected a number above 0"
      ),
      (
        ["ceilings", 0, "threads"], "0", "ceilings[0].threads: found 0, expected an integer in 1...2147483647"
      ),
      (
        ["ceilings", 0, "fmaTrials"], "[1, -2]",
        "ceilings[0].fmaTrials[1]: found -2.0, expected a number above 0"
      ),
      (["ceilings", 0, "fmaTrials"], "[]", "ceilings[0].fmaTrials: found none, expected at least one trial"),
      (
        ["ceilings", 0, "products"], "[{\"numbers\":\"int8\",\"instructions\":\"avx2\",\"trials\":[0]}]",
        "ceilings[0].products[0].trials[0]: found 0.0, expected a number above 0"
      ),
      (
        ["ceilings", 0, "products"], "[{\"numbers\":\"int3\",\"instructions\":\"avx2\",\"trials\":[1]}]",
        "ceilings[0].products[0].numbers: found \"int3\", expected one of \"bf16\", \"int8\""
      ),
      (
        ["ceilings", 0, "memory"],
        "[{\"level\":\"L2\",\"workingSetBytes\":0,\"streams\":1,\"prefetchBytes\":0,\"trials\":[1]}]",
        "ceilings[0].memory[0].workingSetBytes: found 0, expected an integer of at least 1"
      ),
      (["ceilingSeconds"], "-1", "ceilingSeconds: found -1.0, expected a number above 0"),
      (
        ["machine", "logicalCores"], "-9223372036854775808",
        "machine.logicalCores: found -9223372036854775808, expected an integer in 1...2147483647"
      ),
      (
        ["conditions", "stretches", 3, "seconds"], "0",
        "conditions.stretches[3].seconds: found 0.0, expected a number above 0"
      ),
      (
        ["conditions", "stretches", 3, "ownSeconds"], "-2",
        "conditions.stretches[3].ownSeconds: found -2.0, expected a number of at least 0"
      ),
      (
        ["conditions", "calibration", 1, "nanoseconds"], "0",
        "conditions.calibration[1].nanoseconds: found 0, expected an integer of at least 1"
      ),
      (
        ["conditions", "coreToCore"], "[{\"atSeconds\":1,\"nanoseconds\":0}]",
        "conditions.coreToCore[0].nanoseconds: found 0.0, expected a number above 0"
      ),
      (
        ["conditions", "pagesSwappedIn"], "-1",
        "conditions.pagesSwappedIn: found -1, expected an integer of at least 0"
      ),
      (["conditions", "stretches"], nil, "conditions.stretches: missing, expected an array"),
      (
        ["findings"], "[{\"severity\":\"bad\",\"check\":\"c\",\"text\":\"t\"}]",
        "findings[0].severity: found \"bad\", expected one of \"warning\", \"note\""
      ),
      (
        ["cells", 1, "samples", 0, "counters"], "{\"cycles\": -3}",
        "cells[1].samples[0].counters.cycles: found -3, expected an integer of at least 0"
      ),
      (
        ["cells", 1, "samples", 0, "countersShare"], "0",
        "cells[1].samples[0].countersShare: found 0.0, expected a number above 0"
      ),
    ] as [([any Hashable & Sendable], String?, String)])
  func aWrongFieldIsNamedWithWhatItHoldsAndWhatItShould(
    field: [any Hashable & Sendable], replacement: String?, expected: String
  ) throws {
    var record = Fixture.small()
    record.settings.seed = .max
    record.conditions = Fixture.quietConditions()
    record.correctness.append(Fixture.failedCheck("kv-cache"))
    let document = try JSONSerialization.jsonObject(with: record.encode())
    let value = try replacement.map {
      try JSONSerialization.jsonObject(with: Data($0.utf8), options: .fragmentsAllowed)
    }
    let data = try JSONSerialization.data(withJSONObject: replacing(document, field[...], with: value))
    expectEqual(message { try Record.decode(data, path: path) }, "reports/x/record.json: \(expected)")
  }

  @Test func ofTwoWrongFieldsOneIsNamed() throws {
    let text = String(decoding: try Fixture.small().encode(), as: UTF8.self)
      .replacing("\"layers\" : 2", with: "\"layers\" : 2.5").replacing("\"logicalCores\" : 2,", with: "")
    let found = try #require(message { try Record.decode(Data(text.utf8), path: path) })
    #expect(
      [
        "reports/x/record.json: model.layers: found 2.5, expected an integer",
        "reports/x/record.json: machine.logicalCores: missing, expected an integer",
      ].contains(found))
  }

  private func replacing(_ document: Any, _ field: ArraySlice<any Hashable & Sendable>, with value: Any?)
    -> Any
  {
    guard let key = field.first else { return value ?? NSNull() }
    if let index = key as? Int, var elements = document as? [Any] {
      elements[index] = replacing(elements[index], field.dropFirst(), with: value)
      return elements
    }
    guard let name = key as? String, var members = document as? [String: Any] else { return document }
    if field.count == 1, value == nil {
      members[name] = nil
    } else {
      members[name] = replacing(members[name] ?? NSNull(), field.dropFirst(), with: value)
    }
    return members
  }
}

/// Fields that not every record has, and the names of tests.
struct RecordFieldTests {
  @Test func loadsAndOtherProgramsAreReadBack() throws {
    let record = Fixture.loaded()
    try expectEqual(Record.decode(record.encode(), path: "r"), record)
  }

  @Test func figuresOfQualityAreReadBackAndOnlyWrittenWhereThereAreSome() throws {
    let record = Fixture.quantized()
    let back = try Record.decode(record.encode(), path: "r")
    expectEqual(back, record)
    expectEqual(back.correctness.compactMap(\.kl).count, 6)
    expectEqual(back.correctness.compactMap(\.top1).count, 3)
    expectEqual(back.correctness.compactMap(\.deltaPerplexity), [2.5e-6, 7.5e-5, 0.05])
    let plain = String(decoding: try Fixture.small().encode(), as: UTF8.self)
    for key in ["\"kl\"", "\"top1\"", "\"deltaPerplexity\""] { #expect(!plain.contains(key)) }
  }

  /// No key is written for what is not there, so a record without it is one from before.
  @Test func recordsFromBeforeAreRead() throws {
    let record = Fixture.small()
    let text = String(decoding: try record.encode(), as: UTF8.self)
    for key in ["\"peers\"", "\"baselineMemoryBytes\"", "\"firstTokenNanoseconds\""] {
      #expect(!text.contains(key))
    }
    try expectEqual(Record.decode(Data(text.utf8), path: "r"), record)
  }

  @Test(
    arguments: [
      (
        "\"firstTokenNanoseconds\" : 10000000", "\"firstTokenNanoseconds\" : 5",
        "an integer of at least 2000000"
      ),
      ("\"loadNanoseconds\" : 2000000", "\"loadNanoseconds\" : 0", "an integer of at least 1"),
      ("\"baselineMemoryBytes\" : 10485760", "\"baselineMemoryBytes\" : -1", "an integer of at least 1"),
    ])
  func whatCannotBeIsRefused(_ old: String, _ new: String, _ expected: String) throws {
    let text = String(decoding: try Fixture.loaded().encode(), as: UTF8.self)
    expectContains(text, old)
    let found = message { try Record.decode(Data(text.replacing(old, with: new).utf8), path: "r") }
    expectEqual(found?.hasPrefix("r: cells[0]."), true)
    expectEqual(found?.hasSuffix("expected \(expected)"), true, "\(found ?? "")")
  }

  @Test func theTrialsOfARecordComeBackFromItsFile() throws {
    var record = Fixture.small()
    record.ceilings = Fixture.ceilings
    record.ceilingSeconds = 2
    try expectEqual(Record.decode(record.encode(), path: "x"), record)
  }

  @Test func theCostOfForkingComesBackFromItsFile() throws {
    var record = Fixture.small()
    record.machine.forkJoin = ForkJoin(threads: 2, hotMicroseconds: 0.9126, wokenMicroseconds: 12.34)
    let data = try JSONEncoder().encode(record)
    try expectEqual(JSONDecoder().decode(Record.self, from: data), record)
  }

  /// In the field that JSON has them in, which for a matrix product is another; a depth may be 0.
  @Test(
    arguments: [
      (CellTest.operation(.gelu(rows: 0, channels: 3)), "operation.shape.gelu.rows", "0"),
      (.operation(.softmax(rows: 1, heads: 2, depth: -1)), "operation.shape.softmax.depth", "-1"),
      (.operation(.sampling(vocabulary: 0, choice: .topK)), "operation.shape.sampling.vocabulary", "0"),
      (.operation(.matmul(m: 1, k: 0, n: 3)), "gemm.k", "0"),
      (.prefill(tokens: 1, batch: 0), "prefill.batch", "0"),
      (.training(batch: 4, context: 0), "training.context", "0"),
      (.training(batch: 4, context: 64), nil, ""),
      (.operation(.softmax(rows: 1, heads: 2, depth: 0)), nil, ""),
      (.decode(tokens: 2, depth: 0, batch: 1), nil, ""),
    ] as [(CellTest, String?, String)])
  func everySizeOfATestIsHeldToItsRange(test: CellTest, field: String?, found: String) throws {
    var record = Fixture.small()
    record.cells[0].test = test
    let problem = message { try Record.decode(record.encode(), path: "r") }
    guard let field else { return expectNil(problem) }
    expectEqual(
      problem?.hasPrefix("r: cells[0].test.\(field): found \(found), expected an integer in "), true)
  }

  @Test func aTestSaysWhatDiffersFromKindToKind() {
    let prompt = CellTest.prefill(tokens: 64, batch: 2)
    #expect(prompt.primarySpan == .prefill && prompt.times(.firstToken) && !prompt.times(.step))
    expectEqual(prompt.stage, .prefill)
    expectEqual(prompt.tokensPerPrimaryDuration, 128)
    expectEqual(prompt.generation?.prompt, 64)
    expectEqual(prompt.generation?.tokens, 1)
    expectEqual(prompt.batch, 2)
    let steps = CellTest.decode(tokens: 32, depth: 64, batch: 2)
    #expect(steps.primarySpan == .step && steps.times(.outputToken) && !steps.times(.firstToken))
    expectEqual(steps.stage, .decode)
    expectEqual(steps.tokensPerPrimaryDuration, 2)
    expectEqual(steps.primaryDurationsPerSample, 31)
    expectEqual(steps.generation?.prompt, 64)
    let training = CellTest.training(batch: 4, context: 64)
    #expect(training.primarySpan == .trainingStep && !training.times(.step) && training.generation == nil)
    expectEqual(training.batch, 4)
    expectEqual(training.tokensPerPrimaryDuration, 256)
    expectNil(training.stage)
    let matmul = CellTest.operation(.matmul(m: 2, k: 3, n: 4))
    #expect(matmul.primarySpan == .matmul && !matmul.times(.call) && matmul.flops == 48)
    expectNil(matmul.stage)
    expectNil(matmul.generation)
    expectEqual(matmul.batch, 1)
    let choice = CellTest.operation(.sampling(vocabulary: 9, choice: .greedy))
    #expect(choice.primarySpan == .call && choice.flops == nil && choice.isTheEngines)
    #expect([prompt, steps, matmul, choice].allSatisfy { $0.times(.load) && $0.times(.loadToFirstToken) })
  }

  @Test(arguments: [
    (CellTest.prefill(tokens: 64, batch: 1), "pp64"), (.prefill(tokens: 8, batch: 4), "pp8 b4"),
    (.decode(tokens: 32, depth: 64, batch: 1), "tg32 @ d64"),
    (.decode(tokens: 32, depth: 0, batch: 1), "tg32"),
    (.training(batch: 4, context: 64), "train4x64"),
    (.decode(tokens: 2, depth: 3, batch: 4), "tg2 @ d3 b4"), (.operation(.matmul(m: 1, k: 2, n: 3)), "1x2x3"),
    (.operation(.gelu(rows: 64, channels: 3072)), "gelu 64x3072"),
    (.operation(.softmax(rows: 2, heads: 12, depth: 7)), "softmax 2x12 @ d7"),
    (.operation(.attention(rows: 1, heads: 12, headSize: 64, depth: 0)), "attention 1x12x64 @ d0"),
    (.operation(.embedding(rows: 3, channels: 64, vocabulary: 512)), "embedding 3x64 of 512"),
    (.operation(.sampling(vocabulary: 512, choice: .topP)), "sampling 512 top-p"),
  ])
  func testsHaveTheFieldsNames(test: CellTest, name: String) {
    expectEqual(test.name, name)
  }
}
