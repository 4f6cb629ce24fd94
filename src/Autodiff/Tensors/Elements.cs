using System.Globalization;
using System.Numerics;
using Convoy.Shared;
using Convoy.Shared.Errors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tensors;

/// <summary>Single elements as numbers, and whole tensors into another element type.</summary>
internal static class Elements
{
    public static double Read(Tensor tensor, long at) => tensor.DType switch
    {
        DType.Float32 => tensor.Storage.Span<float>(at, 1)[0],
        DType.Float64 => tensor.Storage.Span<double>(at, 1)[0],
        DType.Int32 => tensor.Storage.Span<int>(at, 1)[0],
        DType.Int64 => tensor.Storage.Span<long>(at, 1)[0],
        DType.UInt32 => tensor.Storage.Span<uint>(at, 1)[0],
        DType.UInt64 => tensor.Storage.Span<ulong>(at, 1)[0],
        _ => tensor.Storage.Span<byte>(at, 1)[0],
    };

    public static void Write(Tensor tensor, long at, double value)
    {
        ReadOnlySpan<double> one = [value];
        switch (tensor.DType)
        {
            case DType.Float32: Copy(one, tensor.Storage.Span<float>(at, 1), tensor.DType); break;
            case DType.Float64: tensor.Storage.Span<double>(at, 1)[0] = value; break;
            case DType.Int32: Copy(one, tensor.Storage.Span<int>(at, 1), tensor.DType); break;
            case DType.Int64: Copy(one, tensor.Storage.Span<long>(at, 1), tensor.DType); break;
            case DType.UInt8: Copy(one, tensor.Storage.Span<byte>(at, 1), tensor.DType); break;
            case DType.UInt32: Copy(one, tensor.Storage.Span<uint>(at, 1), tensor.DType); break;
            case DType.UInt64: Copy(one, tensor.Storage.Span<ulong>(at, 1), tensor.DType); break;
            default: Test(one, tensor.Storage.Span<byte>(at, 1)); break;
        }
    }

    /// <summary>All elements of a contiguous tensor into another of its shape.</summary>
    public static void Cast(Tensor from, Tensor to)
    {
        switch (from.DType)
        {
            case DType.Float32: Into<float>(from, to); break;
            case DType.Float64: Into<double>(from, to); break;
            case DType.Int32: Into<int>(from, to); break;
            case DType.Int64: Into<long>(from, to); break;
            case DType.UInt32: Into<uint>(from, to); break;
            case DType.UInt64: Into<ulong>(from, to); break;
            // A bool is the number 0 or 1.
            case DType.UInt8 or DType.Bool: Into<byte>(from, to); break;
            default: throw Invariant.Unhandled(from.DType);
        }
    }

    private static void Into<T>(Tensor from, Tensor to) where T : unmanaged, INumber<T>
    {
        ReadOnlySpan<T> x = All<T>(from);
        switch (to.DType)
        {
            case DType.Float32: Copy(x, All<float>(to), to.DType); break;
            case DType.Float64: Copy(x, All<double>(to), to.DType); break;
            case DType.Int32: Copy(x, All<int>(to), to.DType); break;
            case DType.Int64: Copy(x, All<long>(to), to.DType); break;
            case DType.UInt8: Copy(x, All<byte>(to), to.DType); break;
            case DType.UInt32: Copy(x, All<uint>(to), to.DType); break;
            case DType.UInt64: Copy(x, All<ulong>(to), to.DType); break;
            case DType.Bool: Test(x, All<byte>(to)); break;
            default: throw Invariant.Unhandled(to.DType);
        }
    }

    private static void Copy<TFrom, TTo>(ReadOnlySpan<TFrom> from, Span<TTo> to, DType type)
        where TFrom : unmanaged, INumber<TFrom> where TTo : unmanaged, INumber<TTo>
    {
        for (var i = 0; i < from.Length; i++)
        {
            try
            {
                to[i] = TTo.CreateChecked(from[i]);
            }
            catch (OverflowException)
            {
                throw new NumericalException(ErrorCode.Overflow, string.Create(CultureInfo.InvariantCulture,
                    $"element {i}: {from[i]} does not fit {ElementTypes.Of(type).Name}; clamp it first or take a wider type"));
            }
        }
    }

    private static void Test<T>(ReadOnlySpan<T> from, Span<byte> to) where T : unmanaged, INumber<T>
    {
        for (var i = 0; i < from.Length; i++) to[i] = T.IsZero(from[i]) ? (byte)0 : (byte)1;
    }

    private static Span<T> All<T>(Tensor tensor) where T : unmanaged =>
        tensor.Storage.Span<T>(tensor.Offset, tensor.Count);
}
