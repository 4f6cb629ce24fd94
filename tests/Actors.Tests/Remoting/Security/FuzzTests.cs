using Convoy.Fuzz.Targets;

namespace Convoy.Actors.Tests.Remoting.Security;

// A short run of load-tests/Fuzz: the same targets, the same seeds. A finding names its input, which runs again alone.
public class FuzzTests
{
    [Fact] // decision 11: no input of a peer hangs or hurts a reader
    public void Mutated_bytes_of_a_peer_are_refused_and_cost_little()
    {
        var time = TimeProvider.System;
        var fuzzer = new Fuzzer(seed: 1, [.. WireTargets.All(), .. CredentialTargets.All(time.GetUtcNow())], time)
            .Warmed();
        Assert.Null(fuzzer.Run(0, 150_000));
        Assert.InRange(fuzzer.AcceptedCount, 1_000, 149_000); // both ways through the readers are taken
    }

    [Fact] // decision 11: strangers cost little memory and few lines, and nobody is kept out by them afterwards
    public async Task A_flood_of_strangers_costs_little()
    {
        var fuzz = new ConnectionFuzz(seed: 1);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        await fuzz.RunAsync(200, _ => { });
        Assert.InRange(fuzz.RefusedCount, 100, 200);
        Assert.InRange(fuzz.RefusalLines, 2, Enum.GetValues<Convoy.Actors.Remoting.Security.Refusal>().Length);
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 32 << 20);
    }

    [Fact]
    public void An_input_depends_on_its_seed_and_number_alone()
    {
        var corpus = WireTargets.All()[0].Corpus;
        var (all, one) = (new Mutator(corpus), new Mutator(corpus));
        for (var i = 0; i < 1_000; i++) all.Make(7, i);
        Assert.Equal(all.Make(7, 500).ToArray(), one.Make(7, 500).ToArray());
        Assert.NotEqual(all.Make(7, 500).ToArray(), one.Make(8, 500).ToArray());
    }

    [Fact] // the fuzzer itself: what it looks for, it finds
    public void Planted_faults_are_found()
    {
        byte[][] corpus = [[4, 0, 0, 0, 1, 2, 3, 4]];
        Assert.Contains("IndexOutOfRange", Planted(input => input[input[0]] == 0).What, StringComparison.Ordinal);
        Assert.Contains("bytes allocated",
            Planted(input => new byte[BitConverter.ToUInt16(input) * 16].Length > 0).What, StringComparison.Ordinal);

        Finding Planted(TargetRead read) =>
            new Fuzzer(1, [new Target("planted", corpus, input => input.Length >= 4 && read(input))],
                TimeProvider.System).Run(0, 10_000)!;
    }
}
