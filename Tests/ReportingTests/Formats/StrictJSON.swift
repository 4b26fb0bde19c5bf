import Foundation
import TestSupport

@testable import Record
@testable import Reporting

/// Decodes an object whose keys are all known, so that a misspelt or stray one is an error too.
struct StrictObject<Known: CodingKey & CaseIterable & Hashable>: Decodable {
  let numbers: [Known: Double]
  let texts: [Known: String]

  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    var numbers: [Known: Double] = [:]
    var texts: [Known: String] = [:]
    for key in container.allKeys {
      guard let known = Known(stringValue: key.stringValue) else {
        throw DecodingError.dataCorruptedError(forKey: key, in: container, debugDescription: "an unknown key")
      }
      if let number = try? container.decode(Double.self, forKey: key) {
        numbers[known] = number
      } else {
        texts[known] = try container.decode(String.self, forKey: key)
      }
    }
    self.numbers = numbers
    self.texts = texts
  }
}

extension Fixture {
  /// `small()` with what formats stumble over: names with quotes, commas and line ends, a cell without samples, and
  /// one whose rate is beyond what a number can hold.
  static func awkward() -> Record {
    var record = small()
    record.model?.name = "it's, \"a\" model\n'); DROP TABLE llama_bench; --"
    record.machine.cpu = "CPU, \"10 %\" | fast"
    record.cells[0].variant = "o'brien, \"quoted\""
    record.cells[1].samples = []
    record.cells[1].peakMemoryBytes = nil
    record.cells[1].load = nil
    var fast = gemmCell("simd8", m: 1, milliseconds: [])
    fast.samples = [
      Sample(
        round: 0, sequence: 0, elapsedNanoseconds: 1e-305, iterations: 1, prefillNanoseconds: nil,
        tokenNanoseconds: [])
    ]
    record.cells.append(fast)
    return record
  }
}
