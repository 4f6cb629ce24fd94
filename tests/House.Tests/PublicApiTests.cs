using System.Reflection;
using System.Text;

namespace Convoy.House.Tests;

// The public types of each room and their public members, one file a room. What is not here is free to change.
public class PublicApiTests
{
    [Theory]
    [InlineData("Actors")]
    [InlineData("Autodiff")]
    [InlineData("Kernels")]
    [InlineData("Shared")]
    [InlineData("Coordinator")]
    [InlineData("Worker")]
    public void PublicApiIsAsCommitted(string room)
    {
        var text = new StringBuilder();
        var types = Assembly.Load($"Convoy.{room}").GetExportedTypes()
            .Where(t => t.Namespace != "Convoy.Shared.Protocol" || t.Assembly.GetName().Name != "Convoy.Shared"
                || !typeof(Google.Protobuf.IMessage).IsAssignableFrom(t))
            .OrderBy(t => t.FullName, StringComparer.Ordinal);
        foreach (var type in types)
        {
            text.Append(Kind(type)).Append(' ').Append(type.FullName).Append('\n');
            const BindingFlags Declared =
                BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
            var members = type.GetMembers(Declared).Where(m => m is not MethodInfo { IsSpecialName: true } and not Type)
                .Select(m => m.ToString()!).Order(StringComparer.Ordinal);
            if (!type.IsEnum && !IsRecordPlumbingOnly(type))
                foreach (var member in members.Where(m => !Plumbing(m))) text.Append("  ").Append(member).Append('\n');
        }

        Repository.Same($"tests/House.Tests/public-api/{room}.txt", text.ToString());
    }

    private static bool IsRecordPlumbingOnly(Type type) => type.BaseType == typeof(MulticastDelegate);

    private static bool Plumbing(string member) =>
        member.Contains("<Clone>$", StringComparison.Ordinal)
            || member.Contains("PrintMembers", StringComparison.Ordinal)
        || member.StartsWith("Boolean Equals(", StringComparison.Ordinal)
            || member.StartsWith("Int32 GetHashCode(", StringComparison.Ordinal)
        || member.StartsWith("System.String ToString(", StringComparison.Ordinal)
            || member.Contains(" Deconstruct(", StringComparison.Ordinal);

    private static string Kind(Type type) =>
        type.IsEnum ? "enum" : type.IsInterface ? "interface" : type.IsValueType
            ? "struct" : typeof(Delegate).IsAssignableFrom(type) ? "delegate" : "class";
}
