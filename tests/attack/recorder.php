<?php
/**
 * Notes what WordPress makes of each request, and keeps it from having any effect.
 *
 * `reached`: PHP runs. `asked`: a route is asked for, at top level, in a batch or for embedding. `matched`: a handler was
 * found, before permissions; with each of the route's own parameters as the path has it and as the handler would see
 * it, and which of the parameters are there that give power over a user. The gateway's own checks are not noted. Every answer
 * has a link that `_embed` follows.
 */

if ( ( $_SERVER['HTTP_USER_AGENT'] ?? '' ) === 'App-Connect' || PHP_SAPI === 'cli' ) {
	return;
}

function attack_note( array $what ) {
	file_put_contents( WP_CONTENT_DIR . '/noted', json_encode( $what, JSON_INVALID_UTF8_SUBSTITUTE ) . "\n", FILE_APPEND | LOCK_EX );
}

function attack_request( string $kind, WP_REST_Request $request, array $more = array() ) {
	$what = array( 'kind' => $kind, 'method' => $request->get_method(), 'route' => $request->get_route() );
	attack_note( $what + array( 'user' => wp_get_current_user()->user_login ) + $more );
}

attack_note( array( 'kind' => 'reached', 'method' => $_SERVER['REQUEST_METHOD'], 'route' => $_SERVER['REQUEST_URI'] ) );

add_filter(
	'rest_pre_dispatch',
	function ( $result, $server, $request ) {
		attack_request( 'asked', $request );
		return $result;
	},
	PHP_INT_MAX,
	3
);

add_filter(
	'rest_request_before_callbacks',
	function ( $response, $handler, $request ) {
		$own = array();
		foreach ( $request->get_url_params() as $name => $value ) {
			$own[] = array( (string) $value, json_encode( $request[ $name ] ) );
		}
		$power = array_filter( array( 'password', 'email', 'roles', 'username' ), array( $request, 'has_param' ) );
		attack_request( 'matched', $request, array( 'own' => $own, 'power' => array_values( $power ) ) );
		return $response;
	},
	PHP_INT_MAX,
	3
);

add_filter(
	'rest_dispatch_request',
	function ( $result, $request, $route ) {
		if ( '/batch/v1' === $route ) {
			return $result;
		}
		$response = new WP_REST_Response( array( 'kept' => true ) );
		$response->add_link( 'author', rest_url( '/wp/v2/users/1' ), array( 'embeddable' => true ) );
		return $response;
	},
	PHP_INT_MAX,
	3
);
