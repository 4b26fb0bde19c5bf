import TestSupport
import Testing

@testable import Record
@testable import Reporting

@Suite struct CSVReportTests {
  @Test func oneRowACellAndNothingWhereThereIsNoFigure() {
    #expect(
      CSVReport(Fixture.troubled()).results
        == """
        variant,weights,threads,test,prompt_tokens,new_tokens,batch,status,check,samples,ttft_ms,ttft_ms_ci_low,ttft_ms_ci_high,prefill_ms,prefill_ms_ci_low,prefill_ms_ci_high,prefill_tok_per_s,prefill_tok_per_s_ci_low,prefill_tok_per_s_ci_high,decode_tok_per_s,decode_tok_per_s_ci_low,decode_tok_per_s_ci_high,decode_tok_per_s_per_user,decode_tok_per_s_per_user_ci_low,decode_tok_per_s_per_user_ci_high,tpot_ms,tpot_ms_ci_low,tpot_ms_ci_high,itl_p50_ms,itl_p90_ms,itl_p99_ms,speed_against_naive,speed_against_naive_ci_low,speed_against_naive_ci_high,gflop_per_s,gb_per_s,flop_per_byte,roofline_percent,roof,peak_memory_mib,kv_cache_mib,memory_before_load_mib,load_cold_ms,load_warm_ms,load_to_first_token_ms,load_to_first_token_ms_ci_low,load_to_first_token_ms_ci_high,load_samples,drift,instructions,cycles,cache_misses,message
        naive,f32,1,pp64,64,1,1,measured,pass,3,42,41,43,41,40,42,1560.976,1523.81,1600,,,,,,,,,,,,,1,,,4.878049,0.01463415,333.3333,4.878049,compute,50,,,3.5,1.25,,,,,,,,,
        naive,f32,1,tg5 @ d64,64,5,1,measured,pass,3,,,,,,,,,,47.61905,45.45455,50,47.61905,45.45455,50,21,20,22,21,22,22,1,,,0.1904762,0.02857143,6.666667,0.2857143,memory (DRAM),50,,,3.5,1.25,,,,,,,,,
        kv-cache,f32,1,pp64,64,1,1,measured,pass,3,11.5,11,12,10.5,10,11,6095.238,5818.182,6400,,,,,,,,,,,,,3.904762,3.636364,4.2,19.04762,0.05714286,333.3333,19.04762,compute,50,,,3.5,1.25,,,,,,,,,
        kv-cache,f32,1,tg5 @ d64,64,5,1,measured,pass,3,,,,,,,,,,476.1905,454.5455,500,476.1905,454.5455,500,2.1,2,2.2,2.1,2.2,2.2,10,9.090909,11,1.904762,0.2857143,6.666667,2.857143,memory (DRAM),50,,,3.5,1.25,,,,,,,,,one sample lost
        simd8,f32,1,tg5 @ d64,64,5,1,failed-check,FAIL,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,max abs error 0.5 > 1e-4
        threaded,f32,1,tg5 @ d64,64,5,1,hung,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,no answer | in 60 s
        tiled,f32,1,tg5 @ d64,64,5,1,pending,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,50,,,3.5,1.25,,,,,,,,,

        """)
  }

  @Test func gemmsHaveTheirShapeInColumns() {
    #expect(
      CSVReport(Fixture.gemm()).results
        == """
        variant,weights,m,k,n,threads,status,check,samples,ms,ms_ci_low,ms_ci_high,gflop_per_s,gb_per_s,flop_per_byte,roofline_percent,roof,speed_against_naive,speed_against_naive_ci_low,speed_against_naive_ci_high,max_abs_error,drift,instructions,cycles,cache_misses,message
        naive,f32,1,100,200,1,measured,pass,3,0.021,0.02,0.022,1.904762,3.866667,0.4926108,38.66667,memory (DRAM),1,,,1.5e-06,,,,,
        simd8,f32,1,100,200,1,measured,pass,3,0.0042,0.004,0.0044,9.52381,19.33333,0.4926108,193.3333,memory (DRAM),5,4.545455,5.5,1.5e-06,,,,,
        naive,f32,64,100,200,1,measured,pass,3,1.28,1.28,1.28,2,0.1225,16.32653,2,compute,1,,,1.5e-06,,,,,
        simd8,f32,64,100,200,1,failed-check,FAIL,,,,,,,,,,,,,0.5,,,,,64x100x200: max abs error 0.5 > 1e-4

        """)
  }

  @Test func everyRawSample() {
    #expect(
      CSVReport(Fixture.small()).samples
        == """
        variant,weights,threads,test,status,round,sequence,elapsed_ns,iterations,prefill_ns,token_ns
        naive,f32,1,pp64,measured,0,0,41000000,1,40000000,41000000
        naive,f32,1,pp64,measured,1,1,43000000,1,42000000,43000000
        naive,f32,1,pp64,measured,2,2,42000000,1,41000000,42000000
        naive,f32,1,tg5 @ d64,measured,0,0,92000000,1,11000000,12000000 32000000 52000000 72000000 92000000
        naive,f32,1,tg5 @ d64,measured,1,1,100000000,1,11000000,12000000 34000000 56000000 78000000 100000000
        naive,f32,1,tg5 @ d64,measured,2,2,96000000,1,11000000,12000000 33000000 54000000 75000000 96000000
        kv-cache,f32,1,pp64,measured,0,0,11000000,1,10000000,11000000
        kv-cache,f32,1,pp64,measured,1,1,11500000,1,10500000,11500000
        kv-cache,f32,1,pp64,measured,2,2,12000000,1,11000000,12000000
        kv-cache,f32,1,tg5 @ d64,measured,0,0,20000000,1,11000000,12000000 14000000 16000000 18000000 20000000
        kv-cache,f32,1,tg5 @ d64,measured,1,1,20400000,1,11000000,12000000 14100000 16200000 18300000 20400000
        kv-cache,f32,1,tg5 @ d64,measured,2,2,20800000,1,11000000,12000000 14200000 16400000 18600000 20800000

        """)
  }

  @Test func everyRowHasAsManyFieldsAsThereAreNames() {
    for kind in [Record.Kind.endToEnd, .matmul, .operations] {
      var record = Fixture.troubled()
      record.kind = kind
      let counts = CSVReport(record).results.split(separator: "\n").map {
        $0.split(separator: ",", omittingEmptySubsequences: false).count
      }
      #expect(Set(counts).count == 1)
      let names = record.csvColumns.flatMap(\.fields)
      #expect(Set(names).count == names.count)
    }
  }
}
