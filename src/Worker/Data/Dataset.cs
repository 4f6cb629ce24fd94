using System.Globalization;
using System.Security.Cryptography;
using Convoy.Shared;
using Convoy.Shared.Jobs;
using Convoy.Shared.Random;

namespace Convoy.Worker.Data;

/// <summary>
/// Opens the data of a job. Everything that can be known about the files is checked here, before training starts: form,
/// sizes, numbers that are none, labels outside the classes of the model.
/// </summary>
public static class Dataset
{
    /// <summary>Opens training and test set. Throws a UserException (bad data) with file, line or byte, and
    /// reason.</summary>
    public static DatasetPair Open(JobSpec job) => Open(job, DataCache.User);

    /// <summary>Counts and shape of the data, and whether it is good; nothing stays open.</summary>
    public static DataProbe Probe(JobSpec job)
    {
        using var pair = Open(job);
        return new DataProbe(pair.Train.Count, pair.Test?.Count ?? 0, pair.Train.Info, pair.Sha256);
    }

    internal static DatasetPair Open(JobSpec job, DataCache cache)
    {
        var data = job.Data;
        var train = OpenSource(job, data.Path, data.Labels, cache);
        SampleSource? test = null;
        try
        {
            if (data.TestPath.Count > 0) test = OpenSource(job, data.TestPath, data.TestLabels, cache);
            if (test is not null && !test.SampleShape.SequenceEqual(train.SampleShape))
                throw BadData.File(data.TestPath[0],
                    $"its samples are [{string.Join(", ", test.SampleShape)}], those of the training set are "
                    + $"[{string.Join(", ", train.SampleShape)}]");
            return Pair(job, train, test);
        }
        catch
        {
            train.Dispose();
            test?.Dispose();
            throw;
        }
    }

    private static DatasetPair Pair(JobSpec job, SampleSource train, SampleSource? test)
    {
        var info = new SampleInfo(train.SampleShape, ClassesOf(job.Model), train.IsTokens);
        var hash = HashOf(job, train, test);
        if (test is not null) return new DatasetPair(new SourceSet(train, info), new SourceSet(test, info), hash);
        if (job.Data.TestSplit <= 0) return new DatasetPair(new SourceSet(train, info), null, hash);

        // The first of a permutation of its own are for testing; the same for every worker, because the seed decides.
        var testCount = (long)(train.Count * job.Data.TestSplit);
        if (testCount == 0 || testCount == train.Count)
            throw BadData.File(job.Data.Path[0],
                $"test_split {job.Data.TestSplit} of {train.Count} samples leaves one of the two sets empty; change "
                + "it");
        var order = new SampleOrder(job.Seed, train.Count, RandomPurpose.TestSplit);
        return new DatasetPair(
            new SplitSet(train, info, order, testCount, train.Count - testCount, ownsSource: true),
            new SplitSet(train, info, order, 0, testCount, ownsSource: false), hash);
    }

    private static SampleSource OpenSource(JobSpec job, IReadOnlyList<string> files, IReadOnlyList<string> labels,
        DataCache cache) =>
        job.Data.Format switch
        {
            "csv" => CsvSource.Open(files, job.Data, ClassesOf(job.Model), cache),
            "idx" or "npy" => ArraySource.Open(files, labels, job.Data, ClassesOf(job.Model), cache),
            "text" => TextSource.Open(files, job.Model.Context, job.Model.Vocabulary, cache),
            var other => throw new UserException(ExitCode.BadJob,
                $"data.format: {other} is not known; use csv, idx, npy or text"),
        };

    /// <summary>Classes of the job's model: its last width, or the vocabulary.</summary>
    public static int ClassesOf(ModelSpec model) => model.Family switch
    {
        "gpt" => model.Vocabulary,
        "cnn" => int.Parse(model.Network[^1], NumberStyles.None, CultureInfo.InvariantCulture),
        _ => model.Layers[^1],
    };

    private static byte[] HashOf(JobSpec job, SampleSource train, SampleSource? test)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        train.AddTo(hash);
        // What lies in the test set and how it is cut off belongs to the data as well.
        hash.AppendData(BitConverter.GetBytes(job.Data.TestSplit));
        hash.AppendData(BitConverter.GetBytes(test?.Count ?? 0));
        test?.AddTo(hash);
        return hash.GetHashAndReset();
    }
}
