<?php
// A backend service in PHP with nothing but the curl extension, its connection kept open.

$site = getenv('SITE_URL');
$connection = curl_init();

function call(CurlHandle $connection, string $method, string $url, array $options = []): array
{
    curl_reset($connection);
    curl_setopt_array($connection, $options + [
        CURLOPT_URL => $url,
        CURLOPT_CUSTOMREQUEST => $method,
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_TIMEOUT => 60,
    ]);
    $body = curl_exec($connection);
    if ($body === false) {
        throw new RuntimeException(curl_error($connection));
    }
    return ['status' => curl_getinfo($connection, CURLINFO_RESPONSE_CODE), 'body' => json_decode($body, true)];
}

$credentials = [CURLOPT_USERPWD => getenv('CLIENT_ID') . ':' . getenv('CLIENT_SECRET')];
$token = call($connection, 'POST', "$site/wp-json/app-connect/v1/token", $credentials + [
    CURLOPT_POSTFIELDS => http_build_query(['grant_type' => 'client_credentials']),
])['body']['access_token'];

$bearer = [CURLOPT_HTTPAUTH => CURLAUTH_BEARER, CURLOPT_XOAUTH2_BEARER => $token];
$created = call($connection, 'POST', "$site/wp-json/wp/v2/posts", $bearer + [
    CURLOPT_HTTPHEADER => ['Content-Type: application/json'],
    CURLOPT_POSTFIELDS => json_encode(['title' => 'Grüße von PHP', 'status' => 'publish']),
]);
$post = "$site/wp-json/wp/v2/posts/{$created['body']['id']}";
$read = call($connection, 'GET', $post, $bearer);

call($connection, 'POST', "$site/wp-json/app-connect/v1/revoke", $credentials + [
    CURLOPT_POSTFIELDS => http_build_query(['token' => $token]),
]);
$refused = call($connection, 'GET', $post, $bearer);

echo json_encode([
    'created' => $created['status'],
    'id' => $created['body']['id'],
    'title' => $read['body']['title']['rendered'],
    'refused' => $refused['status'],
    'code' => $refused['body']['code'],
]);
