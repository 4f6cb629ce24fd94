using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Convoy.Shared.Protocol;

/// <summary>
/// What marks the words and frames that workers of one job exchange: a worker that trains another job now, or another
/// run of the same one, does not take them. Its process and its address are the same as before.
/// </summary>
public readonly record struct JobTag(ulong Value)
{
    public static JobTag Of(string jobId) =>
        new(BinaryPrimitives.ReadUInt64LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(jobId))));

    /// <summary>Name of the actor that trains the job, on every worker.</summary>
    public string Trainer => string.Create(CultureInfo.InvariantCulture, $"trainer-{(uint)Value:x8}");

    /// <summary>
    /// It is a frame of this job. Gradients of a step are marked by the plan of their generation instead, in which no
    /// two jobs have the same members.
    /// </summary>
    public bool Takes(in BulkHeader header) =>
        header.Kind is not (BulkKind.State or BulkKind.Snapshot or BulkKind.Feed) || header.Plan == Value;
}
