import Foundation
import GPT2Model

/// What `all` measures, as data in `Benchmarks/suites/NAME.json`.
struct Suite: Codable, Equatable {
  struct Decode: Codable, Equatable {
    let tokens: Int
    let depth: Int
  }

  /// The file's name without its ending.
  private(set) var name: String
  let summary: String
  /// Prompt lengths of the prefill cells.
  let prefill: [Int]
  let decode: [Decode]
  let repetitions: Int
  /// Wall time that one contestant may spend on one cell before it stops short of the repetitions.
  let cellBudgetSeconds: Double

  private enum CodingKeys: String, CodingKey {
    case summary, prefill, decode, repetitions, cellBudgetSeconds
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    name = ""
    summary = try container.decode(String.self, forKey: .summary)
    prefill = try container.decode([Int].self, forKey: .prefill)
    decode = try container.decode([Decode].self, forKey: .decode)
    repetitions = try container.decode(Int.self, forKey: .repetitions)
    cellBudgetSeconds = try container.decode(Double.self, forKey: .cellBudgetSeconds)
  }

  /// - Parameter nameOrPath: a suite of the project, or a file of the same form.
  init(_ nameOrPath: String, in project: Project) throws {
    let own = "\(project.suites)/\(nameOrPath).json"
    let path = FileManager.default.fileExists(atPath: own) ? own : nameOrPath
    guard let data = FileManager.default.contents(atPath: path) else {
      let known = Self.all(in: project).map(\.name).joined(separator: ", ")
      throw UsageError("--suite", found: nameOrPath, expected: "one of \(known), or a suite's file")
    }
    do {
      self = try JSONDecoder().decode(Suite.self, from: data)
    } catch let error as DecodingError {
      throw ModelError(error, path: path)
    }
    name = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
    let sizes = prefill + decode.flatMap { [$0.tokens, $0.depth] } + [repetitions]
    guard sizes.allSatisfy({ $0 > 0 }), MeasuringOptions.budgets.contains(cellBudgetSeconds),
      !(prefill.isEmpty && decode.isEmpty),
      decode.allSatisfy({ $0.tokens > 1 })
    else {
      throw RunError(
        "\(path): found a size that is not positive, a decode of one token, no cell, or a budget out of range; "
          + "expected positive sizes, at least one cell, and cellBudgetSeconds \(MeasuringOptions.budgetRange)"
      )
    }
  }

  /// The project's suites that can be read, by name.
  static func all(in project: Project) -> [Suite] {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: project.suites)) ?? []
    return files.sorted().filter { $0.hasSuffix(".json") }
      .compactMap { try? Suite(String($0.dropLast(5)), in: project) }
  }
}
