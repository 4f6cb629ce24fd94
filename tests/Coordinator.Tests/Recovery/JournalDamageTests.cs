using System.Text;
using System.Text.Json;
using Convoy.Coordinator.Jobs;
using Convoy.Coordinator.Membership;
using Convoy.Coordinator.Recovery;
using Convoy.Coordinator.Security;
using Convoy.Shared;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Storage;

namespace Convoy.Coordinator.Tests.Recovery;

/// <summary>
/// Decision 10, R11: one byte of a record of each kind, such that it is still JSON and still an event, is seen.
/// </summary>
public sealed class JournalDamageTests : IDisposable
{
    private static readonly object[] Events =
    [
        new WorkerRegistered(new WorkerId(41), "worker-a"),
        new FencingStarted(new Generation(42), FenceKind.Hard, [new WorkerId(41)], "lost one"),
        new GenerationOpened(new Generation(43), "job-1", [new WorkerId(41)], [0, 8], new StepNumber(44),
            new StepNumber(99), "first one"),
        new MembershipPaused(new Generation(44), "by somebody"),
        new LeaderStarted(new LeaderToken(45), "host 46"),
        new JobSubmitted("job-1", "{}", "0a0b", new StepNumber(47), null, [1, 2, 3]),
        new JobAgreed("job-1", "worker-b", 48, 49, "0c0d", new Fingerprint(50)),
        new StopTaken("job-1", "asked for", "command-1"),
        new ScaleTaken("job-1", 51, "command-2"),
        new CheckpointPublished("job-1", new StepNumber(52), new Fingerprint(53), "/state/step-52"),
        new JobOver("job-1", "finished", new StepNumber(54), "all is well"),
        new TokenCreated("token-1", "0e0f", 55, DateTimeOffset.UnixEpoch),
        new TokenUsed("token-1", "key-56", "node-57"),
    ];

    private readonly string _folder = Directory.CreateTempSubdirectory("convoy-damage-").FullName;

    private string Journal => Path.Combine(_folder, "journal.db");

    public static TheoryData<int> Kinds => [.. Enumerable.Range(0, Events.Length)];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_changed_value_of_each_kind_of_record_is_seen(int kind)
    {
        using (var file = SqliteJournal.Open(Journal))
        {
            var control = new ControlJournal(file, file.TryAcquire("test", TimeSpan.FromMinutes(1)).Lease!);
            switch (Events[kind])
            {
                case MembershipEvent e: control.Append(e); break;
                case TokenEvent e: control.Append(e); break;
                case JobEvent e: control.Append("job-1", e); break;
                default: Assert.Fail("an event of no stream"); break;
            }
        }

        var stored = ControlJournal.Encode(Events[kind]);
        var (whole, json) = (File.ReadAllBytes(Journal), Encoding.UTF8.GetBytes(stored.Json));
        var at = whole.AsSpan().IndexOf(json);
        Assert.True(at > 0);
        var changed = 0;
        for (var i = 0; i < json.Length; i++)
        {
            var damaged = (byte[])json.Clone();
            damaged[i] ^= 1;
            if (!IsStillTheEvent(stored.Type, damaged)) continue;
            changed++;
            var bytes = (byte[])whole.Clone();
            bytes[at + i] ^= 1;
            File.WriteAllBytes(Journal, bytes);
            var e = Assert.Throws<UserException>(() => SqliteJournal.Open(Journal).Dispose());
            Assert.Equal(ExitCode.Storage, e.Code);
            Assert.StartsWith($"{Journal}: the journal is damaged; move journal.db*", e.Message,
                StringComparison.Ordinal);
            Assert.DoesNotContain('\n', e.Message);
        }

        Assert.True(changed >= 2, $"{changed} bytes of {stored.Json} can be changed");
    }

    [Fact]
    public void Every_kind_of_record_is_tried()
    {
        var kinds = typeof(MembershipEvent).Assembly.GetTypes().Where(t => !t.IsAbstract
            && (t.IsSubclassOf(typeof(MembershipEvent)) || t.IsSubclassOf(typeof(JobEvent))
                || t.IsSubclassOf(typeof(TokenEvent)))).Select(t => t.Name).Order();
        Assert.Equal(kinds, Events.Select(e => e.GetType().Name).Order());
    }

    private static bool IsStillTheEvent(string type, byte[] json)
    {
        try
        {
            ControlJournal.Decode(type, new UTF8Encoding(false, true).GetString(json));
            return true;
        }
        catch (Exception e) when (e is JsonException or FormatException or ArgumentException or OverflowException)
        {
            return false;
        }
    }
}
