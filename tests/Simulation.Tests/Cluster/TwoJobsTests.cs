using System.Runtime.InteropServices;
using Convoy.Actors.Remoting;
using Convoy.Cli.Simulation;
using Convoy.Shared.Protocol;

namespace Convoy.Simulation.Tests.Cluster;

/// <summary>
/// Scenario 15, FT-01: two jobs that train at once in one simulated cluster, each judged as if it were alone; and the
/// planted bugs of what stands between them.
/// </summary>
public sealed class TwoJobsTests
{
    private const ulong SeedsMax = 500;
    private static readonly SimulationChoice Two = new() { Jobs = 2 };

    private static void Find(string checker, string text, Plants plants, string? also = null)
    {
        // As often as the command runs two jobs: in a fifth of the seeds with the workers for it.
        for (ulong seed = 1; seed <= SeedsMax; seed++)
        {
            var choice = new SimulationChoice();
            if (SimulationPlan.Of(seed, choice).Jobs.Count < 2) continue;
            if (SimulationRun.Run(seed, choice, plants).Violation is not { } found) continue;
            if (found.Checker == also) continue;
            Assert.True(found.Checker == checker, $"seed {seed}: {found}");
            Assert.Contains(text, found.Text, StringComparison.Ordinal);
            return;
        }

        Assert.Fail($"no seed up to {SeedsMax} shows the bug that the checker '{checker}' is for");
    }

    [Fact]
    public void A_fifth_of_the_larger_clusters_has_two()
    {
        var (two, large) = (0, 0);
        for (ulong seed = 1; seed <= 1_000; seed++)
        {
            var plan = SimulationPlan.Of(seed, new SimulationChoice());
            if (plan.Workers >= 4) large++;
            if (plan.Jobs.Count < 2) continue;
            two++;
            Assert.InRange(plan.Workers, 4, 64);
            Assert.Equal(plan.Workers, plan.Jobs.Sum(j => j.Workers));
        }

        Assert.InRange(two, large * 0.15, large * 0.25);
    }

    [Fact]
    public void Both_end_well_under_faults()
    {
        for (ulong seed = 1; seed <= 25; seed++)
        {
            var result = SimulationRun.Run(seed, Two);
            Assert.True(!result.Failed, $"seed {seed}: {result.Violation}; convoy sim --seed {seed} --jobs 2 --trace");
        }
    }

    // They are not the same twice: other weights at the same steps, of other samples.
    [Fact]
    public void They_train_at_once_and_differ()
    {
        var plan = SimulationPlan.Of(3, new SimulationChoice { Jobs = 2, Workers = 4, Faults = [] });
        var cluster = new SimulatedCluster(plan);
        var atOnce = 0;
        void Look()
        {
            if (cluster.Jobs.All(j => j.Status is { State: "running", Step: > 0 })) atOnce++;
            if (!cluster.IsJobOver) cluster.World.After(null, TimeSpan.FromMilliseconds(10), Look);
        }

        Look();
        cluster.Run();
        Assert.Null(cluster.Violation);
        Assert.All(cluster.Jobs, j => Assert.Equal(j.Plan.Steps, j.Rows().Count));
        Assert.True(atOnce > 3, $"{atOnce} looks saw both train");
        Assert.NotEqual(cluster.Jobs[0].Replicas.WeightsOf(2), cluster.Jobs[1].Replicas.WeightsOf(2));
    }

    // Seeds that broke something once. What broke is said beside each.
    [Theory]
    [InlineData(84)]  // a copy for a learner that went to the other job came to it there
    [InlineData(485)] // and so did pieces of steps
    [InlineData(565)] // a learner asked the other job's worker, where a member had been
    [InlineData(312)] // two memberships of one leader counted the same casts
    [InlineData(799)] // the piece that a lost member owed to a joiner was given by nobody
    [InlineData(50270)] // a worker that was let go for good was assigned the next job, and the checker believed it
    [InlineData(50379)] // a user gave up while the disk was full
    [InlineData(50418)] // the only member that knew a row was below two that had joined, and did not tell it
    [InlineData(51526)] // a user resumed a job twice at one coordinator
    [InlineData(51655)] // a worker of a job that was over told a row of its generation 2 to another job's generation 2
    [InlineData(53035)] // a worker that one leader had let go did not answer the fence of the next one
    [InlineData(72723)] // the end of a link that its peer had replaced was reported as a broken link
    [InlineData(54404)] // a learner that went to the other job was counted as one that its donor lends to
    [InlineData(66626)] // and what a learner of another job reported was judged by the wrong history
    [InlineData(67112)] // a word that was held up outlived its sender, whose next process trained the other job
    [InlineData(56820)] // a fence of a job named whom the job before had lost
    public void Seeds_that_broke_something_once_hold(ulong seed) => Assert.Null(SimulationRun.Run(seed, Two).Violation);

    // The same, as small as they were found.
    [Theory]
    [InlineData(310445, 4, 12, "1")] // a worker that was let go took an opening from before, whose list came late (C7)
    [InlineData(1544, 8, 5, "2,3")] // a link that was lost and dialled anew took frames to a worker of the other job
    [InlineData(310353, 5, 29, "2,3")] // the disk did not answer a new leader for a second, and a job had failed for good
    public void Small_worlds_that_broke_something_once_hold(ulong seed, int workers, int steps, string keep) =>
        Assert.Null(SimulationRun.Run(seed, new SimulationChoice
        {
            Workers = workers, Steps = steps, Jobs = 2, Keep = [.. keep.Split(',').Select(int.Parse)],
        }).Violation);

    // A learner is told a member of the other job, which takes what it is sent.
    [Fact]
    public void A_word_to_a_member_of_the_other_job()
    {
        var (hellos, jobs) = (new Dictionary<string, Hello>(), new Dictionary<string, string>());
        Find("walls", "comes to", new Plants
        {
            Begin = _ => { hellos.Clear(); jobs.Clear(); },
            Tamper = (from, to, message) =>
            {
                if (message is Hello hello) hellos[from] = hello;
                if (message is Assign assign) jobs[to] = assign.JobId;
                if (message is not Learn { Members: [var member, ..] } learn
                    || jobs.FirstOrDefault(j => j.Value != learn.JobId).Key is not { } other) return message;
                (member.Incarnation, member.PeerAddress) = (hellos[other].Incarnation, hellos[other].PeerAddress);
                return message;
            },
            // What is for another job's trainer goes to the one that is here.
            Finds = (there, name) => name.StartsWith("trainer", StringComparison.Ordinal)
                && jobs.TryGetValue(there.Process.Host, out var job) ? there.Names.Find(JobTag.Of(job).Trainer) : null,
        });
    }

    // Frames say whose they are; a worker that does not look takes those that were for it in the job before.
    [Fact]
    public void A_frame_of_the_other_job()
    {
        for (ulong seed = 1; seed <= SeedsMax; seed++)
        {
            var plants = new Plants { Bulk = static receiver => new TakesEveryFrame(receiver) };
            if (SimulationRun.Run(seed, Two, plants).Violation is not { } found) continue;
            Assert.True(found.Checker == "walls", $"seed {seed}: {found}");
            Assert.Contains("a frame", found.Text, StringComparison.Ordinal);
            return;
        }

        Assert.Fail($"no seed up to {SeedsMax} shows a frame that is taken by a worker of the other job");
    }

    private sealed class TakesEveryFrame(IBulkReceiver inner) : IBulkReceiver
    {
        private readonly List<byte[]> _taken = [];

        public Memory<byte> Rent(Peer from, in BulkHeader header)
        {
            var room = inner.Rent(from, header);
            if (room.Length > 0 || header.PayloadBytes == 0) return room;
            _taken.Add(new byte[header.PayloadBytes]);
            return _taken[^1];
        }

        public void Received(Peer from, in BulkHeader header, Memory<byte> payload)
        {
            if (!IsOwn(payload)) inner.Received(from, header, payload);
        }

        public void Damaged(Peer from, in BulkHeader header, string why) => inner.Damaged(from, header, why);

        public void Return(Memory<byte> rented)
        {
            if (!IsOwn(rented)) inner.Return(rented);
        }

        private bool IsOwn(Memory<byte> memory) => MemoryMarshal.TryGetArray<byte>(memory, out var part)
            && part.Array is { } bytes && _taken.Remove(bytes);
    }

    [Fact]
    public void A_checkpoint_among_the_other_jobs() => Find("walls", "makes or reads", new Plants
    {
        Tamper = static (_, _, message) =>
        {
            if (message is Assign assign) assign.CheckpointRoot = SimulatedCoordinator.Root;
            return message;
        },
    });

    [Fact]
    public void Samples_of_the_other_job() => Find("walls", "computes a step of", new Plants
    {
        Model = static (model, host, cluster) => ((SimulatedModel)model).Job.IsFirst ? model
            : new ErringModel(model)
            {
                Samples = samples =>
                {
                    cluster.Jobs[0].OnRun(host, 1, 0, [samples.Length], samples);
                    return samples;
                },
            },
    });

    // Its workers are never told to prepare it.
    [Fact]
    public void A_job_that_starves_while_the_other_goes_on() => Find("fairness", "makes no step for", new Plants
    {
        Tamper = static (_, _, message) =>
            message is Assign assign && assign.JobId.StartsWith("beside", StringComparison.Ordinal) ? null : message,
    }, "progress"); // where the other one has not much to do
}
