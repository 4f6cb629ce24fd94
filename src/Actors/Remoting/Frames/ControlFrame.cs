using System.Buffers.Binary;
using System.Text;
using Convoy.Shared;
using Google.Protobuf;

namespace Convoy.Actors.Remoting.Frames;

/// <summary>The numbers are part of the wire.</summary>
internal enum FrameKind : byte
{
    /// <summary>A message to a named actor.</summary>
    Message = 1,
    /// <summary>Tell me when the named actor ends.</summary>
    Watch = 2,
    Unwatch = 3,
    /// <summary>The named actor has ended, or was never there.</summary>
    Death = 4,
    /// <summary>A message could not be delivered here: for its sender (R28).</summary>
    Bounce = 5,
    /// <summary>Everything up to this number has arrived. Not numbered itself.</summary>
    Ack = 16,
    /// <summary>The link ends on purpose. Not numbered itself.</summary>
    Goodbye = 17,
}

/// <summary>
/// What a numbered frame carries. A struct: it waits in queues and rings, and costs no allocation there.
/// </summary>
internal readonly record struct ControlContent(FrameKind Kind, string Target, string Sender)
{
    /// <summary>Message: the payload. Otherwise null.</summary>
    public IMessage? Message { get; init; }
    /// <summary>Message, Bounce: number of the type in the table of control messages.</summary>
    public ushort MessageNumber { get; init; }
    /// <summary>Message: size of the payload. Bounce: the size that was refused.</summary>
    public long Size { get; init; }
    public long Limit { get; init; }
    /// <summary>Bounce: the reason. Death: 1 when the actor had existed.</summary>
    public byte Code { get; init; }
    /// <summary>Message: who gets it back when it is lost; never on the wire.</summary>
    public IActorRef? Origin { get; init; }
}

/// <summary>One frame as it was read; the payload is a view of the receive buffer.</summary>
internal ref struct ControlFrame
{
    public FrameKind Kind;
    public long Sequence;
    public ushort MessageNumber;
    public byte Code;
    public long Size;
    public long Limit;
    public ReadOnlySpan<byte> Target;
    public ReadOnlySpan<byte> Sender;
    public ReadOnlySpan<byte> Payload;
}

/// <summary>
/// A frame of the control lane, little endian:
/// <code>
///  0 bytes after this field (4)   4 kind (1)   5 code (1)   6 message number (2)
///  8 sequence number (8): of this frame; of Ack and Goodbye: highest number received
/// 16 target length (1)  17 sender length (1)  18 zero (2)
/// 20 size (8)  28 limit (8)       Bounce only
/// .. target, sender (UTF-8), payload
/// </code>
/// </summary>
internal static class ControlCodec
{
    public const int LengthBytes = 4;
    public const int FixedBytes = 20;
    private const int BounceBytes = 16;
    public const int NameBytesMax = byte.MaxValue;
    /// <summary>Largest value of the length field.</summary>
    public const int LengthMax = FixedBytes - LengthBytes + BounceBytes + 2 * NameBytesMax
        + Limits.ControlMessageBytesMax;

    public static int SizeOf(in ControlContent content) =>
        FixedBytes + (content.Kind == FrameKind.Bounce ? BounceBytes : 0)
        + Encoding.UTF8.GetByteCount(content.Target) + Encoding.UTF8.GetByteCount(content.Sender)
        + (content.Kind == FrameKind.Message ? (int)content.Size : 0);

    /// <summary>Writes a numbered frame; <paramref name="to"/> has <see cref="SizeOf"/> bytes.</summary>
    public static void Write(Span<byte> to, long sequence, in ControlContent content)
    {
        var target = Encoding.UTF8.GetByteCount(content.Target);
        var sender = Encoding.UTF8.GetByteCount(content.Sender);
        WriteFixed(to, content.Kind, sequence);
        to[5] = content.Code;
        BinaryPrimitives.WriteUInt16LittleEndian(to[6..], content.MessageNumber);
        to[16] = (byte)target;
        to[17] = (byte)sender;
        var at = FixedBytes;
        if (content.Kind == FrameKind.Bounce)
        {
            BinaryPrimitives.WriteInt64LittleEndian(to[at..], content.Size);
            BinaryPrimitives.WriteInt64LittleEndian(to[(at + 8)..], content.Limit);
            at += BounceBytes;
        }

        at += Encoding.UTF8.GetBytes(content.Target, to[at..]);
        at += Encoding.UTF8.GetBytes(content.Sender, to[at..]);
        content.Message?.WriteTo(to.Slice(at, (int)content.Size));
    }

    /// <summary>Ack or Goodbye.</summary>
    public static int WriteUnnumbered(Span<byte> to, FrameKind kind, long received)
    {
        WriteFixed(to[..FixedBytes], kind, received);
        return FixedBytes;
    }

    /// <summary>
    /// Length of the frame that starts here, length field included; 0: more bytes are needed to know.
    /// </summary>
    /// <returns>Null, or why the stream cannot be one of ours.</returns>
    public static string? TryReadLength(ReadOnlySpan<byte> from, out int length)
    {
        length = 0;
        if (from.Length < LengthBytes) return null;
        var after = BinaryPrimitives.ReadUInt32LittleEndian(from);
        if (after < FixedBytes - LengthBytes) return $"a control frame of {after} bytes is too short";
        if (after > LengthMax) return $"a control frame of {after} bytes is over the limit of {LengthMax}";
        length = (int)after + LengthBytes;
        return null;
    }

    /// <summary>Reads a whole frame; returns why it is refused, or null.</summary>
    public static string? TryRead(ReadOnlySpan<byte> whole, out ControlFrame frame)
    {
        frame = default;
        frame.Kind = (FrameKind)whole[4];
        frame.Code = whole[5];
        frame.MessageNumber = BinaryPrimitives.ReadUInt16LittleEndian(whole[6..]);
        frame.Sequence = BinaryPrimitives.ReadInt64LittleEndian(whole[8..]);
        if (frame.Sequence < 0) return $"sequence number {frame.Sequence}";
        if (!IsKnown(frame.Kind)) return $"there is no control frame of kind {(byte)frame.Kind}";
        var left = whole[FixedBytes..];
        if (frame.Kind == FrameKind.Bounce)
        {
            if (left.Length < BounceBytes) return "a bounce is cut short";
            frame.Size = BinaryPrimitives.ReadInt64LittleEndian(left);
            frame.Limit = BinaryPrimitives.ReadInt64LittleEndian(left[8..]);
            left = left[BounceBytes..];
        }

        var (target, sender) = (whole[16], whole[17]);
        if (left.Length < target + sender) return "names are longer than their frame";
        frame.Target = left[..target];
        frame.Sender = left.Slice(target, sender);
        frame.Payload = left[(target + sender)..];
        if (frame.Payload.Length > Limits.ControlMessageBytesMax)
            return $"a message of {frame.Payload.Length} bytes is over the limit of {Limits.ControlMessageBytesMax}";
        return null;
    }

    private static bool IsKnown(FrameKind kind) =>
        kind is >= FrameKind.Message and <= FrameKind.Bounce or FrameKind.Ack or FrameKind.Goodbye;

    private static void WriteFixed(Span<byte> to, FrameKind kind, long sequence)
    {
        to[..FixedBytes].Clear();
        BinaryPrimitives.WriteInt32LittleEndian(to, to.Length - LengthBytes);
        to[4] = (byte)kind;
        BinaryPrimitives.WriteInt64LittleEndian(to[8..], sequence);
    }
}
