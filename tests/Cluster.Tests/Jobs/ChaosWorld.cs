using Convoy.Shared.Random;

namespace Convoy.Cluster.Tests.Jobs;

/// <summary>What a seed's cluster consists of; words 0 to 9 of the seed's second stream choose it.</summary>
internal sealed record ChaosWorld
{
    private const string WideModel = "model.layers=[16,1024,1024,4]"; // 4 MB of gradients: four buckets on bulk lanes

    /// <summary>One leads, the others stand by.</summary>
    public int Coordinators { get; private init; } = 2;
    public int Workers { get; private init; } = 3;
    public IReadOnlyList<string> Jobs { get; private init; } = ["alpha"];
    /// <summary>TLS with certificates on all lanes.</summary>
    public bool Secure { get; private init; }
    /// <summary>Secure, and listening on all addresses of the machine.</summary>
    public bool Everywhere { get; private init; }
    /// <summary>What decides the bits of all jobs, each for `--set`.</summary>
    public IReadOnlyList<string> Terms { get; private init; } = [];
    /// <summary>What must not.</summary>
    public IReadOnlyList<string> Settings { get; private init; } = [];

    public static string[] Arguments(IEnumerable<string> settings) =>
        [.. settings.SelectMany(s => new[] { "--set", s })];

    public static ChaosWorld Of(int seed)
    {
        var random = new RandomStream((ulong)seed, RandomPurpose.TestDouble, 1);
        int Draw(long at, int below) => (int)(random.Word(at) % (uint)below);
        int[] every = [1, 7, 100];
        List<string> terms = [];
        List<string> settings = [$"checkpoint.every={every[Draw(0, every.Length)]}"];
        var isPair = Draw(1, 3) == 0;
        if (isPair) settings.Add("elastic.max=2");
        if (Draw(2, 3) == 0) terms.Add(WideModel);
        if (Draw(3, 3) == 0) settings.Add("sync.commit=unanimous");
        if (Draw(4, 3) == 0) terms.AddRange(["average.decay=0.99", "clip.percentile=50"]);
        if (Draw(5, 4) == 0) settings.Add("timeouts.stall=3s");
        var secure = Draw(6, 3);
        return new ChaosWorld
        {
            Coordinators = 2 + (Draw(7, 3) == 0 ? 1 : 0),
            Workers = isPair ? 4 : 2 + Draw(8, 3),
            Jobs = isPair ? ["alpha", "beta"] : ["alpha"],
            Secure = secure > 0,
            Everywhere = secure > 1,
            Terms = terms,
            Settings = settings,
        };
    }

    public override string ToString() => $"{Coordinators} coordinators, {Workers} workers, {string.Join('+', Jobs)}, "
        + $"{(Everywhere ? "TLS on all addresses" : Secure ? "TLS" : "plain")}, {string.Join(' ', Terms.Concat(Settings))}";
}
