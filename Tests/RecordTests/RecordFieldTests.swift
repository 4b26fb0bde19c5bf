import Foundation
import TestSupport
import Testing

@testable import Record

/// Fields that not every record has, and the names of tests.
@Suite struct RecordFieldTests {
  @Test func loadsAndOtherProgramsAreReadBack() throws {
    let record = Fixture.loaded()
    #expect(try Record.decode(record.encode(), path: "r") == record)
  }

  /// No key is written for what is not there, so a record without it is one from before.
  @Test func recordsFromBeforeAreRead() throws {
    let record = Fixture.small()
    let text = String(decoding: try record.encode(), as: UTF8.self)
    for key in ["\"peers\"", "\"baselineMemoryBytes\"", "\"firstTokenNanoseconds\""] {
      #expect(!text.contains(key))
    }
    #expect(try Record.decode(Data(text.utf8), path: "r") == record)
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
    #expect(text.contains(old))
    let found = message { try Record.decode(Data(text.replacing(old, with: new).utf8), path: "r") }
    #expect(found?.hasPrefix("r: cells[0].") == true)
    #expect(found?.hasSuffix("expected \(expected)") == true, "\(found ?? "")")
  }

  @Test func theTrialsOfARecordComeBackFromItsFile() throws {
    var record = Fixture.small()
    record.ceilings = Fixture.ceilings
    record.ceilingSeconds = 2
    #expect(try Record.decode(record.encode(), path: "x") == record)
  }

  @Test func theCostOfForkingComesBackFromItsFile() throws {
    var record = Fixture.small()
    record.machine.forkJoin = ForkJoin(threads: 2, hotMicroseconds: 0.9126, wokenMicroseconds: 12.34)
    let data = try JSONEncoder().encode(record)
    #expect(try JSONDecoder().decode(Record.self, from: data) == record)
  }

  @Test(arguments: [
    (CellTest.prefill(tokens: 64, batch: 1), "pp64"), (.prefill(tokens: 8, batch: 4), "pp8 b4"),
    (.decode(tokens: 32, depth: 64, batch: 1), "tg32 @ d64"),
    (.decode(tokens: 32, depth: 0, batch: 1), "tg32"),
    (.decode(tokens: 2, depth: 3, batch: 4), "tg2 @ d3 b4"), (.operation(.matmul(m: 1, k: 2, n: 3)), "1x2x3"),
    (.operation(.gelu(rows: 64, channels: 3072)), "gelu 64x3072"),
    (.operation(.softmax(rows: 2, heads: 12, depth: 7)), "softmax 2x12 @ d7"),
    (.operation(.attention(rows: 1, heads: 12, headSize: 64, depth: 0)), "attention 1x12x64 @ d0"),
    (.operation(.embedding(rows: 3, channels: 64, vocabulary: 512)), "embedding 3x64 of 512"),
    (.operation(.sampling(vocabulary: 512, choice: .topP)), "sampling 512 top-p"),
  ])
  func testsHaveTheFieldsNames(test: CellTest, name: String) {
    #expect(test.name == name)
  }
}
