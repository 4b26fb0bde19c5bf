import TestSupport
import Testing

@testable import Record
@testable import Reporting

struct LlamaBenchReportTests {
  private func fields(_ record: Record) -> [[String: String]] {
    let rows = Self.parsed(LlamaBenchReport(record).csv)
    return rows.dropFirst().map { Dictionary(uniqueKeysWithValues: zip(rows[0], $0)) }
  }

  @Test func promptsAndDecodingAreTestsOfTheirOwn() throws {
    let rows = fields(Fixture.small())
    expectEqual(rows.map { $0["backends"] }, ["naive", "naive", "kv-cache", "kv-cache"])
    expectEqual(rows.map { $0["n_prompt"] }, ["64", "0", "64", "0"])
    expectEqual(rows.map { $0["n_gen"] }, ["0", "5", "0", "5"])
    expectEqual(rows.map { $0["n_depth"] }, ["0", "64", "0", "64"])
    // 40, 41 and 42 ms: their mean and standard deviation.
    expectEqual(rows[0]["avg_ns"], "41000000")
    expectEqual(rows[0]["stddev_ns"], "1000000")
    // The mean of 64 / 0.040, 64 / 0.041 and 64 / 0.042.
    expectEqual(rows[0]["avg_ts"], "1561.595045")
    // Five tokens at 20, 21 and 22 ms each.
    expectEqual(rows[1]["avg_ns"], "105000000")
    expectEqual(rows[1]["stddev_ns"], "5000000")
    expectEqual(rows[1]["avg_ts"], "47.691198")
  }

  @Test func whatIsKnownOfTheRun() throws {
    let row = try #require(fields(Fixture.small()).first)
    expectEqual(row["build_commit"], "0123abc")
    expectEqual(row["cpu_info"], "Example CPU")
    expectEqual(row["model_filename"], "synthetic:tiny")
    expectEqual(row["model_type"], "gpt2 0.14 M f32")
    expectEqual(row["model_size"], "563712")
    expectEqual(row["model_n_params"], "140928")
    expectEqual(row["n_threads"], "1")
    expectEqual(row["n_gpu_layers"], "0")
    expectEqual(row["test_time"], "2026-01-02T03:04:05Z")
  }

  @Test func fieldsStandInLlamaBenchsOrder() {
    let lines = LlamaBenchReport(Fixture.small()).csv.split(separator: "\n")
    let header = """
      build_commit,build_number,cpu_info,gpu_info,backends,model_filename,model_type,model_size,\
      model_n_params,n_batch,n_ubatch,n_threads,cpu_mask,cpu_strict,poll,type_k,type_v,n_gpu_layers,\
      n_cpu_moe,split_mode,main_gpu,no_kv_offload,flash_attn,devices,tensor_split,tensor_buft_overrides,\
      load_mode,embeddings,no_op_offload,no_host,fit_target,fit_min_ctx,n_prompt,n_gen,n_depth,test_time,\
      avg_ns,stddev_ns,avg_ts,stddev_ts
      """
    #expect(lines[0] == header)
    #expect(lines[1].hasPrefix("\"0123abc\",\"0\",\"Example CPU\",\"\",\"naive\","))
  }

  @Test func whatHasNoCounterpartIsLeftOut() throws {
    var record = Fixture.troubled()
    record.cells[0].test = .prefill(tokens: 64, batch: 4)
    record.cells[2].samples = [record.cells[2].samples[0]]
    record.peers = [PeerDescription(name: "kv-cache", command: "other")]
    let rows = fields(record)
    expectEqual(rows.map { $0["backends"] }, ["naive", "kv-cache", "kv-cache"])
    // One sample has no standard deviation, another program's cache is not known.
    expectEqual(rows[1]["stddev_ns"], "")
    expectEqual(rows[1]["stddev_ts"], "")
    expectEqual(rows[1]["avg_ns"], "10000000")
    expectEqual(rows[0]["type_k"], "f32")
    expectEqual(rows[1]["type_k"], "")
    #expect(LlamaBenchReport(Fixture.gemm()).rows.isEmpty)
    #expect(LlamaBenchReport(Fixture.operations()).rows.isEmpty)
  }

  @Test func quotesCommasAndLineEndsStayInTheirField() throws {
    let rows = fields(Fixture.awkward())
    expectEqual(rows.count, 3)
    expectEqual(rows[0]["backends"], "o'brien, \"quoted\"")
    expectEqual(rows[0]["cpu_info"], "CPU, \"10 %\" | fast")
    expectEqual(rows[0]["model_filename"], "it's, \"a\" model '); DROP TABLE llama_bench; --")
  }

  @Test func sqlIsATableAndAnInsertionForEachRow() throws {
    let report = LlamaBenchReport(Fixture.awkward())
    let statements = Self.statements(report.sql)
    expectEqual(statements.count, 1 + report.rows.count)
    #expect(statements[0].hasPrefix("CREATE TABLE IF NOT EXISTS llama_bench ("))
    let names = LlamaBenchReport.fields.map(\.name).joined(separator: ", ")
    for (statement, row) in zip(statements.dropFirst(), report.rows) {
      #expect(statement.hasPrefix("INSERT INTO llama_bench (\(names)) VALUES ("))
      expectEqual(Self.literals(statement), row)
    }
  }

  /// RFC 4180, quoted or not.
  private static func parsed(_ text: String) -> [[String]] {
    var rows: [[String]] = [[""]]
    var isQuoted = false
    var rest = Substring(text)
    while let character = rest.popFirst() {
      let last = (row: rows.count - 1, field: rows[rows.count - 1].count - 1)
      if character == "\"" {
        if isQuoted, rest.first == "\"" {
          rest.removeFirst()
          rows[last.row][last.field].append("\"")
        } else {
          isQuoted.toggle()
        }
      } else if !isQuoted, character == "," {
        rows[last.row].append("")
      } else if !isQuoted, character == "\n" {
        rows.append([""])
      } else {
        rows[last.row][last.field].append(character)
      }
    }
    return rows.filter { $0 != [""] }
  }

  /// The statements of a script, split at semicolons outside of literals.
  private static func statements(_ sql: String) -> [String] {
    var statements = [""]
    var isQuoted = false
    for character in sql {
      if character == "'" { isQuoted.toggle() }
      if character == ";", !isQuoted {
        statements.append("")
      } else {
        statements[statements.count - 1].append(character)
      }
    }
    return statements.map { $0.trimmingPrefix { $0.isWhitespace } }.map(String.init).filter { !$0.isEmpty }
  }

  /// The string literals of a statement.
  private static func literals(_ statement: String) -> [String] {
    var found: [String] = []
    var rest = Substring(statement)
    while let start = rest.firstIndex(of: "'") {
      rest = rest[rest.index(after: start)...]
      var literal = ""
      while let character = rest.popFirst() {
        guard character == "'" else {
          literal.append(character)
          continue
        }
        guard rest.first == "'" else { break }
        rest.removeFirst()
        literal.append("'")
      }
      found.append(literal)
    }
    return found
  }
}
