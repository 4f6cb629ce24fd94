using System.Globalization;
using Convoy.Shared.Time;

namespace Convoy.Shared.Jobs;

/// <summary>A broken rule and the key at whose place it is reported.</summary>
internal readonly record struct BrokenRule(string Key, string RuleAndAdvice);

/// <summary>Rules of a whole job: those of each key's own value, and those between keys.</summary>
public static class JobRules
{
    /// <summary>Returns the first broken rule as "key: rule; advice", or null. For jobs that do not come from the
    /// reader.</summary>
    public static string? Check(JobSpec job) =>
        Find(job) is { } broken ? $"{broken.Key}: {broken.RuleAndAdvice}" : null;

    internal static BrokenRule? Find(JobSpec job) => OwnValues(job) ?? BetweenKeys(job);

    private static BrokenRule? OwnValues(JobSpec job)
    {
        foreach (var key in JobSchema.Keys.Where(key => key.Used(job)))
        {
            // Which of epochs and steps is not set is checked between the keys; 0 stands for it in the record.
            if (key.Path is "epochs" && job.Epochs == 0) continue;
            if (key.Path is "steps" && job.Steps == 0) continue;
            if (key.Check(job) is { } broken) return new BrokenRule(key.Path, broken);
        }

        return null;
    }

    private static BrokenRule? BetweenKeys(JobSpec job) =>
        Length(job) ?? Grid(job) ?? Update(job) ?? Model(job) ?? Data(job) ?? Clocks(job);

    private static BrokenRule? Length(JobSpec job) =>
        (job.Epochs > 0, job.Steps > 0) switch
        {
            (true, true) => new("steps", "epochs is set too; keep one of the two"),
            (false, false) => new("epochs", "how long to train is missing; write epochs: N or steps: N"),
            _ => null,
        };

    private static BrokenRule? Grid(JobSpec job) =>
        job.Slices > job.Batch
            ? new("slices", $"{job.Slices} slices are more than the {job.Batch} samples of a batch; lower slices or "
                + "raise batch")
        : job.MicroBatches > ((job.Batch - 1) / job.Slices) + 1
            ? new("micro_batches",
                $"{job.MicroBatches} are more than the {((job.Batch - 1) / job.Slices) + 1} samples of "
                + "a slice; lower micro_batches or slices, or raise batch")
        : job.Elastic.Max > job.Slices
            ? new("elastic.max", $"{job.Elastic.Max} workers are more than the {job.Slices} slices; lower "
                + "elastic.max or raise slices")
        : job.Elastic.Min > job.Elastic.Max
            ? new("elastic.min", $"{job.Elastic.Min} is above elastic.max ({job.Elastic.Max}); lower elastic.min or "
                + "raise elastic.max")
        : job.Parallel.Data != 0 && (job.Parallel.Data < job.Elastic.Min || job.Parallel.Data > job.Elastic.Max)
            ? new("parallel.data",
                $"{job.Parallel.Data} is outside elastic ({job.Elastic.Min} to {job.Elastic.Max}); change it or "
                + "elastic")
        : null;

    private static BrokenRule? Update(JobSpec job) =>
        job.Clip.Percentile > 0 && job.Clip.Average > 0
            ? new("clip.average", "clip.percentile is set too; keep one of the two bounds")
        : job.Optimizer is { Kind: "sgd", Dampening: > 0 } && (job.Optimizer.Nesterov || job.Optimizer.Momentum == 0)
            ? new("optimizer.dampening", "it damps what enters the momentum of optimizer.momentum without nesterov; set "
                + "momentum and leave nesterov out, or leave dampening at 0")
            : null;

    private static BrokenRule? Model(JobSpec job) =>
        job.Model.Family == "gpt" && job.Model.Width % job.Model.Heads != 0
            ? new("model.width", $"{job.Model.Width} is not a multiple of model.heads ({job.Model.Heads}); change "
                + "one of them")
        : job.Model.Family == "gpt" && job.Data.Format != "text"
            ? new("data.format", $"the gpt family reads text, not {job.Data.Format}; use format: text or another "
                + "family")
        : job.Model.Family == "cnn" && job.Model.Norm == "batch" && job.Batch / job.Slices / job.MicroBatches < 2
            ? new("model.norm",
                $"batch statistics of {job.Batch / job.Slices / job.MicroBatches} samples (batch / slices "
                + "/ micro_batches) mean nothing; lower slices or micro_batches, or raise batch, until there are 2")
        : job.Model.Family != "gpt" && job.Data.Format == "text"
            ? new("data.format", $"the {job.Model.Family} family reads csv, idx or npy, not text; use another format "
                + "or family: gpt")
        : null;

    private static BrokenRule? Data(JobSpec job)
    {
        var data = job.Data;
        if (data.Path.Count == 0) return new("data.path", "the training data is missing; write path: FILE");
        if (data.TestPath.Count > 0 && data.TestSplit > 0)
            return new("data.test_split", "test_path is set too; keep one of the two");
        if (data.Format is not ("idx" or "npy")) return null;
        if (data.Labels.Count != data.Path.Count)
            return new("data.labels",
                $"{data.Labels.Count} files of labels for {data.Path.Count} files of samples; give one for each");
        return data.TestLabels.Count != data.TestPath.Count
            ? new("data.test_labels",
                $"{data.TestLabels.Count} files of labels for {data.TestPath.Count} files of test_path; give one for "
                + "each")
            : null;
    }

    private static BrokenRule? Clocks(JobSpec job) =>
        new ClockTable().With(job.Timeouts.BeatMs, job.Timeouts.DeadMs, job.Timeouts.StallMs).Check() is { } broken
            ? new("timeouts.dead", $"{broken}; raise timeouts.dead or lower timeouts.beat") : null;

    /// <summary>model.network: convolutions and pools, then dense layers, and a dense layer last.</summary>
    internal static string? NetworkRule(IReadOnlyList<string> words)
    {
        if (words.Count is 0 or > 256) return $"{words.Count} words; write 1 to 256, such as [conv16, pool, 64, 10]";
        var dense = false;
        foreach (var word in words)
        {
            var isDense = IsWidth(word);
            if (!isDense && word != "pool"
                && !(word.StartsWith("conv", StringComparison.Ordinal) && IsWidth(word.AsSpan(4))))
                return $"'{word}' is not a layer; write conv<channels>, pool or a width, each 1 to 65536";
            if (dense && !isDense) return $"'{word}' stands after a dense layer; put convolutions and pools first";
            dense |= isDense;
        }

        return dense ? null : "the last word is the number of classes, such as 10";
    }

    private static bool IsWidth(ReadOnlySpan<char> text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var width)
            && width is >= 1 and <= 65_536 && text[0] != '0';
}
