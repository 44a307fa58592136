using System.CodeDom.Compiler;
using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Sessions;

namespace TinyLlm.Grains.Tests.Contracts;

/// <summary>What silos of two versions must agree on.</summary>
public sealed class ContractTests
{
    private static readonly Type[] s_types = [.. typeof(TinyLlmGrains).Assembly.GetTypes().Concat(typeof(Storage.UserId).Assembly.GetTypes())
        .Where(type => type.GetCustomAttribute<GeneratedCodeAttribute>() is null)];

    private static readonly Type[] s_grains = [.. s_types.Where(type => type.IsInterface && typeof(IAddressable).IsAssignableFrom(type))];

    [Fact]
    public void GrainInterfaces_AndTheirMethods_HaveDistinctAliases()
    {
        Assert.Equal(8, s_grains.Length);
        AssertDistinct(s_grains.Select(type => type.GetCustomAttribute<AliasAttribute>(inherit: false)?.Alias));
        foreach (Type grain in s_grains) AssertDistinct(grain.GetMethods().Select(method => method.GetCustomAttribute<AliasAttribute>(inherit: false)?.Alias));
    }

    [Fact]
    public void Messages_HaveDistinctAliasesAndIds()
    {
        Type[] messages = [.. s_types.Where(type => type.GetCustomAttribute<GenerateSerializerAttribute>(inherit: false) is not null)];
        Assert.True(messages.Length > 20);
        AssertDistinct(messages.Select(type => type.GetCustomAttribute<AliasAttribute>(inherit: false)?.Alias));
        foreach (Type message in messages.Where(type => !type.IsEnum)) AssertMembers(message);
    }

    [Fact]
    public void TypesOfGrainCalls_AreMessages()
    {
        IEnumerable<Type> used = s_grains
            .SelectMany(type => type.GetMethods())
            .SelectMany(method => method.GetParameters().Select(parameter => parameter.ParameterType).Append(method.ReturnType))
            .SelectMany(Unwrap)
            .Where(type => type.Assembly.GetName().Name!.StartsWith("TinyLlm", StringComparison.Ordinal) && !type.IsEnum)
            .Distinct();
        Assert.All(used, type => Assert.NotNull(type.GetCustomAttribute<GenerateSerializerAttribute>(inherit: false)));
    }

    [Fact]
    public void StoredAndSentEnums_KeepTheirNumbers()
    {
        string[] expected =
        [
            "Malformed", "Unauthenticated", "ScopeLacking", "NotFound", "MethodNotAllowed", "NameTaken", "Conflict", "TooLarge", "WrongMediaType", "ModelInvalid",
            "IdempotencyKeyReused", "ContextLengthExceeded", "QuotaExceeded", "NoAccelerator", "NoCapacity", "StorageFull",
        ];
        (string, int)[] later =
        [
            ("AuditUnavailable", 16), ("RateLimited", 17), ("AccessRevoked", 18), ("ModelDamaged", 19), ("Draining", 20), ("AnswerCut", 21), ("FilesDiffer", 22),
        ];
        Assert.Equal(
            expected.Index().Select(pair => (pair.Item, pair.Index)).Concat(later),
            Enum.GetValues<RequestError>().Order().Select(error => (error.ToString(), (int)error)));
        Assert.Equal((0, 1, 2, 3), ((int)SessionEnd.Stop, (int)SessionEnd.Length, (int)SessionEnd.SlowReader, (int)SessionEnd.Failed));
        Assert.Equal((1, 2, 4), ((int)ModelRight.Infer, (int)ModelRight.Download, (int)ModelRight.FineTune));
        Assert.Equal(
            (1, 2, 4, 8, 16),
            ((int)TokenScopes.Read, (int)TokenScopes.Infer, (int)TokenScopes.Write, (int)TokenScopes.Train, (int)TokenScopes.Admin));
    }

    [Fact]
    public void RequestException_EveryError_SurvivesTheWire()
    {
        using ServiceProvider services = new ServiceCollection().AddSerializer().BuildServiceProvider();
        Serializer serializer = services.GetRequiredService<Serializer>();
        foreach (RequestError error in Enum.GetValues<RequestError>())
        {
            RequestException sent = new(error, $"about {error}")
            {
                Detail = "detail",
                Parameter = "parameter",
                FileName = "file",
                Tensor = "tensor",
                RetryAfter = TimeSpan.FromSeconds(3),
            };
            Assert.Equal(Refusal.Seen(sent), Refusal.Seen(serializer.Deserialize<RequestException>(serializer.SerializeToArray(sent))!));
            // As a grain throws it, and as a session's first event carries it.
            Assert.Equal(Refusal.Seen(sent), Refusal.Seen(Assert.IsType<RequestException>(serializer.Deserialize<Exception>(serializer.SerializeToArray<Exception>(sent)))));
            SessionEvent? item = serializer.Deserialize<SessionEvent>(serializer.SerializeToArray<SessionEvent>(new SessionRefused { Reason = sent }));
            Assert.Equal(Refusal.Seen(sent), Refusal.Seen(Assert.IsType<SessionRefused>(item).Reason));
        }
    }

    private static void AssertMembers(Type message)
    {
        const BindingFlags Own = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
        FieldInfo[] fields = message.GetFields(Own);
        HashSet<string> names = [.. fields.Select(field => field.Name)];
        List<IdAttribute?> ids = [.. message.GetProperties(Own).Where(property => names.Contains($"<{property.Name}>k__BackingField")).Select(property => property.GetCustomAttribute<IdAttribute>())];
        ids.AddRange(fields.Where(field => !field.Name.EndsWith(">k__BackingField", StringComparison.Ordinal)).Select(field => field.GetCustomAttribute<IdAttribute>()));
        Assert.All(ids, id => Assert.True(id is not null, $"a member of {message} has no id"));
        Assert.Equal(ids.Count, ids.Select(id => id!.Id).Distinct().Count());
    }

    private static void AssertDistinct(IEnumerable<string?> aliases)
    {
        string?[] all = [.. aliases];
        Assert.NotEmpty(all);
        Assert.All(all, Assert.NotNull);
        Assert.Equal(all.Length, all.Distinct(StringComparer.Ordinal).Count());
    }

    private static IEnumerable<Type> Unwrap(Type type) => type.IsGenericType ? type.GetGenericArguments().SelectMany(Unwrap).Append(type) : [type];
}
